// A reporter for mocha: a line for each test that ended, as it ends, in the file that OUTCOMES names.
'use strict'
const fs = require('fs')
const path = require('path')
const { Spec } = require(require.resolve('mocha', { paths: [process.cwd()] })).reporters

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options)
    const write = (test, word) => {
      const name = `${path.relative(process.cwd(), test.file)}: ${test.fullTitle()}`
      fs.appendFileSync(process.env.OUTCOMES, JSON.stringify([name, word]) + '\n')
    }
    runner.on('pass', (test) => write(test, 'passed'))
    runner.on('fail', (test) => write(test, 'failed'))
    runner.on('pending', (test) => write(test, 'skipped'))
  }
}
