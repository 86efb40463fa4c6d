# mix run demo/run.exs [path of UnicodeData.txt]
for file <- ~w(unicode_data queries report demo), do: Code.require_file("#{file}.ex", __DIR__)
Demo.main(System.argv())
