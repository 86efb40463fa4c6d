files = Enum.flat_map(["*.ex", "*/*.ex"], &Path.wildcard(Path.join(__DIR__, &1)))

ebin = Path.expand("../build/bench/ebin", __DIR__)
File.rm_rf!(ebin)
File.mkdir_p!(ebin)

# Compiled, not evaluated: a loop in evaluated code is many times slower. To files, as other VMs load
# them too.
case Kernel.ParallelCompiler.compile_to_path(files, ebin) do
  {:ok, _modules, _warnings} -> Code.prepend_path(ebin)
  {:error, _errors, _warnings} -> exit({:shutdown, 1})
end

# A second VM, with other flags, goes on where the first one has ended.
answers_path = Path.expand("../build/bench/answers.etf", __DIR__)

earlier =
  if System.get_env("CONTINUE") == "1",
    do: answers_path |> File.read!() |> :erlang.binary_to_term(),
    else: []

answers = earlier ++ Bench.Main.run(Bench.Main.questions(System.get_env("ONLY", "")))
File.write!(answers_path, :erlang.term_to_binary(answers))
Bench.Main.write(answers, "bench/results.json", "bench/charts")
