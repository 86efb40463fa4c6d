# On a busy machine a thread may have to wait for its turn for longer than ExUnit's 100 ms.
ExUnit.start(capture_log: true, assert_receive_timeout: 10_000)
