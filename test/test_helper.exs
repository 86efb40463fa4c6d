# An emulator takes seconds for what takes a processor milliseconds: for the start of a child VM, ten.
emulated =
  if UpcallTest.Machine.emulated?() do
    minutes = &:timer.minutes/1
    [exclude: [:unemulated], timeout: minutes.(30), assert_receive_timeout: minutes.(2)]
  else
    []
  end

ExUnit.start([capture_log: true] ++ emulated)
