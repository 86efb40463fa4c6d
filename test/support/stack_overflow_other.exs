Code.require_file("stack_overflow_functions.exs", __DIR__)

# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.StackOverflowOther do
  use UpcallTest.StackOverflowFunctions, "stack_overflow_other_nif"
end
