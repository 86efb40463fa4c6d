Code.require_file("stack_overflow_functions.exs", __DIR__)

# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.StackOverflow do
  use UpcallTest.StackOverflowFunctions, "stack_overflow_nif"
end
