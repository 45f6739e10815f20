// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gateway.yaml's own substitution is written so.
import { expect, test } from 'vitest'
import { substitute } from '../../../src/config/source/substitution.ts'

const environment = { NAME: 'value', EMPTY: '', DOLLARS: '$$ ${NAME} $&', _x1: 'odd' }

test.for<[string, string]>([
  ['nothing to fill in', 'nothing to fill in'],
  ['', ''],
  ['${NAME}', 'value'],
  ['a ${NAME} and ${NAME}.', 'a value and value.'],
  ['${NAME:-other}', 'value'],
  ['${NONE:-other}', 'other'],
  ['${EMPTY:-other}', 'other'],
  ['${NONE:-}', ''],
  ['${NONE:-a:-b}', 'a:-b'],
  ['${NONE:-two\nlines}', 'two\nlines'],
  ['${_x1}', 'odd'],
  ['$NAME costs $5', '$NAME costs $5'],
  ['$$', '$'],
  ['$${NAME}', '${NAME}'],
  ['$$${NAME}', '$value'],
  ['$$$$', '$$'],
  ['}{$', '}{$'],
])('%j becomes %j', ([text, filled]) => {
  expect(substitute(text, environment)).toEqual({ text: filled })
})

test('what a variable holds is taken as it is', () => {
  expect(substitute('${DOLLARS}', environment)).toEqual({ text: environment.DOLLARS })
})

test.for(['NONE', 'EMPTY', 'constructor', 'toString'])('%s must be set', (name) => {
  expect(substitute(`a \${${name}}`, environment)).toEqual({
    message: `found \${${name}}, expected the environment variable ${name} to be set, or a default: \${${name}:-…}`,
  })
})

test.for([
  '${',
  '${NAME',
  '${}',
  '${1A}',
  '${NA-ME}',
  '${NAME:other}',
  '${ NAME }',
  'secret ${NAME} ${oh no}',
])('%j is not understood, and not repeated', (text) => {
  expect(substitute(text, environment)).toEqual({
    message:
      'found a ${ without the name of a variable, expected ${NAME} or ${NAME:-default}; a plain dollar is $$',
  })
})
