// Answers each line "COUNT TIMES" with the sum of TIMES native loops of COUNT callbacks.
'use strict';

const readline = require('readline');
const loop = require(process.argv[2]);

const square = (x) => x * x;

function run(count, times) {
  let total = 0;
  for (let i = 0; i < times; i++) total = (total + loop(square, count)) % 1009;
  return total;
}

// Writing to a pipe waits until all is written.
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [count, times] = line.split(' ').map(Number);
  process.stdout.write(`${run(count, times)}\n`);
});
