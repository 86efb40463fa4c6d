for file <- ~w(plain memory), do: Code.require_file("../demo/#{file}.ex", __DIR__)
ExUnit.start(capture_log: true)
