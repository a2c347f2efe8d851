// Loaded before a file of node-postgres' tests: a line for each test that begins or ends, in the file that
// OUTCOMES names. What LEFT_OUT lists (as JSON) is skipped.
'use strict'
const fs = require('fs')
const path = require('path')
const Module = require('module')

const file = path.relative(process.cwd(), process.argv[1])
const leftOut = JSON.parse(process.env.LEFT_OUT || '[]')

function write(name, word) {
  fs.appendFileSync(process.env.OUTCOMES, JSON.stringify([`${file}: ${name}`, word]) + '\n')
}

function wrap(Suite) {
  const run = Suite.prototype.run
  Suite.prototype.run = function (test, done) {
    if (!test.action || leftOut.includes(`${file}: ${test.name}`)) {
      write(test.name, 'skipped')
      return done()
    }
    // A test that fails ends the process, so an end that is not seen is a failure.
    write(test.name, 'begun')
    return run.call(this, test, (...results) => {
      write(test.name, 'passed')
      done(...results)
    })
  }
  return Suite
}

const load = Module._load
let wrapped
Module._load = function (request, ...others) {
  const loaded = load.call(this, request, ...others)
  if (request !== './suite') return loaded
  return (wrapped = wrapped || wrap(loaded))
}
