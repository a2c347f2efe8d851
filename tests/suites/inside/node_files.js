// Runs the tests that are named, in turn: "-tests.js" in a process of its own, as node-postgres does it, and all
// else by mocha. Each is ended when its time is up. A line for each of the former goes to the file that OUTCOMES names.
'use strict'
const fs = require('fs')
const path = require('path')
const { spawnSync } = require('child_process')

const LIMIT = 90 * 1000 // more than authentication_timeout, which one of them waits for
const MOCHA_LIMIT = 10 * 60 * 1000

function run(words, limit) {
  const { status, signal } = spawnSync(process.execPath, words, {
    timeout: limit,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) console.log(`\n${words[words.length - 1]}: ended with ${signal || status}`)
  return status === 0 ? 'passed' : 'failed'
}

for (const name of process.argv.slice(2)) {
  if (name.endsWith('-tests.js')) {
    const word = run(['-r', path.join(__dirname, 'node_outcomes.js'), name], LIMIT)
    fs.appendFileSync(process.env.OUTCOMES, JSON.stringify([name, word]) + '\n')
  } else {
    const mocha = require.resolve('mocha/bin/mocha.js', { paths: [process.cwd()] })
    run([mocha, '--exit', '--reporter', path.join(__dirname, 'mocha_outcomes.js'), name], MOCHA_LIMIT)
  }
}
