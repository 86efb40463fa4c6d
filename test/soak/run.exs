# `make soak`: the rounds of test/support/soak.exs, for so many minutes.
Code.require_file("../support/soak.exs", __DIR__)

[minutes] = System.argv()
# Killed executors are no news here.
Logger.configure(level: :none)
{:ok, _} = Application.ensure_all_started(:upcall)
counts = UpcallTest.Soak.run(round(elem(Float.parse(minutes), 0) * 60_000))

for {what, count} <- Enum.sort_by(counts, &to_string(elem(&1, 0))),
    do: IO.puts("#{what}: #{count}")
