# mix run demo/run.exs [path of UnicodeData.txt]
for file <- ~w(plain memory report demo), do: Code.require_file("#{file}.ex", __DIR__)
Demo.main(System.argv())
