# Not compiled with the project: the path of the library is that of this test run.
import UpcallTest.Bodies

for_both_bodies UpcallTest.FailingCodec do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("failing_codec_nif", @body)

  defnif result(value)
  defnif result_after_call(f, value)
  defnif argument(f, value)
  defnif second_argument(f, value)
  defnif returned(f)
  defnif text_of_try_call(f, value)
  defnif text_of_returned(f)

  defnif in_vector(values)
  defnif in_array(values)
  defnif in_optional(value)
  defnif in_map(map)
  defnif as_key(map)
  defnif in_struct(struct)
  defnif in_options(options)
  defnif in_variant(value)
  defnif first_of_variant(value)
  defnif in_tuple(tuple)
  defnif fields_of_raise(value)

  defnif borrowed(value)
  defnif kept(value, sound)
  defnif no_term(value)
  defnif no_term_as_argument(f)
  defnif no_term_to_keep()
end

defmodule UpcallTest.FailingCodec.Holder do
  defstruct [:value]
end

defmodule UpcallTest.FailingCodecElsewhere do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("failing_codec_elsewhere_nif")

  defnif generate(values)
  defnif generate_on_fiber(values)
  defnif count(values)
  defnif count_in_coroutine(values)

  defnif result(value)
  defnif second_argument(f, value)
  defnif returned(f)
  defnif fields_of_raise(value)
  defnif no_term()
  defnif goes_on(f, g, value)
  defnif on_thread_of_call(f)
  defnif mapped(f, values)
  defnif pinned_mapped(f, values)

  defnif called_on(f, executor, value)
  defnif pinned_called_on(f, executor, value)
  defnif async_on(f, executor, value)
  defnif pinned_async_on(f, executor, value)
  defnif awaited_on(f, executor, value)
  defnif cast_on(f, executor, value)
  defnif pinned_cast_on(f, executor, value)
  defnif mapped_on(f, executor, values)
  defnif pinned_mapped_on(f, executor, values)
  defnif applied_on(f, executor, value)
  defnif kept_called(f, value)
  defnif on_thread(f, executor, value)
end

defmodule UpcallTest.FailingCodecHandwritten do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("failing_codec_handwritten_nif")

  def same(_value), do: :erlang.nif_error(:not_loaded)
  def in_result(_value), do: :erlang.nif_error(:not_loaded)
  def apply_to(_executor, _fun, _value), do: :erlang.nif_error(:not_loaded)
  def apply_to_nothing(_executor, _fun), do: :erlang.nif_error(:not_loaded)
end
