files = Enum.flat_map(["*.ex", "*/*.ex"], &Path.wildcard(Path.join(__DIR__, &1)))

# Compiled, not evaluated: a loop in evaluated code is many times slower.
case Kernel.ParallelCompiler.compile(files) do
  {:ok, _modules, _warnings} -> :ok
  {:error, _errors, _warnings} -> exit({:shutdown, 1})
end

Bench.Main.run(System.get_env("ONLY", ""), System.fetch_env!("RESULTS"))
