import { describe, expect, test } from 'vitest'
import { defineCommand } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { helpText } from '../../src/cli/help.ts'
import { parseCommand } from '../../src/cli/parse-command.ts'

const run = async () => 0
const update = defineCommand({ name: 'shelf update', does: 'update', options: {}, run })
const diff = defineCommand({ name: 'shelf diff', does: 'compare', options: {}, run })
const keys = defineCommand({
  name: 'keys',
  does: 'list keys',
  operands: [{ name: 'ID', does: 'a key', isOptional: true }],
  options: {
    model: { value: 'NAME', does: 'allow', isRepeatable: true },
    all: { does: 'everything' },
  },
  run,
})
const all = [...commands, update, diff, keys]
const parse = (line: string) =>
  parseCommand(
    all,
    line.split(' ').filter((word) => word !== ''),
  )

describe('a command line', () => {
  test.for<[string, string, object, readonly string[]]>([
    ['serve', 'serve', {}, []],
    ['serve --port 9000', 'serve', { port: '9000' }, []],
    ['serve --port=0 --host ::1 --config a.yaml', 'serve', { port: '0', host: '::1', config: 'a.yaml' }, []],
    ['check --prices', 'check', { prices: true }, []],
    ['savings', 'savings', {}, []],
    ['savings -', 'savings', {}, ['-']],
    ['savings -- --odd-name', 'savings', {}, ['--odd-name']],
    ['shelf update', 'shelf update', {}, []],
    ['keys --model a --model b k1 --all', 'keys', { model: ['a', 'b'], all: true }, ['k1']],
  ])('%s', ([line, name, options, operands]) => {
    expect(parse(line)).toMatchObject({ type: 'run', command: { name }, invocation: { options, operands } })
  })

  test.for<[string, readonly string[]]>([
    ['', all.map(({ name }) => name)],
    ['help', all.map(({ name }) => name)],
    ['--help', all.map(({ name }) => name)],
    ['-h', all.map(({ name }) => name)],
    ['shelf --help', ['shelf update', 'shelf diff']],
    ['help shelf', ['shelf update', 'shelf diff']],
    ['help shelf diff', ['shelf diff']],
    ['help serve', ['serve']],
    ...all.map(({ name }): [string, string[]] => [`${name} --help`, [name]]),
    ...all.map(({ name }): [string, string[]] => [`${name} --nonsense odd -h`, [name]]),
  ])('that asks for help: %s', ([line, of]) => {
    const parsed = parse(line)
    expect(parsed.type === 'help' && parsed.of.map(({ name }) => name)).toEqual(of)
  })

  test.for(['--version', 'serve --version', 'shelf diff --version'])(
    'that asks for the version: %s',
    (line) => {
      expect(parse(line)).toEqual({ type: 'version' })
    },
  )

  test.for<[string, string]>([
    ['srve', 'There is no command "srve". Did you mean serve?'],
    ['shelfs', 'There is no command "shelfs". Did you mean shelf?'],
    ['toString', 'There is no command "toString".'],
    ['--port 9000', 'Name a command before --port, such as serve.'],
    ['shelf', 'shelf takes update or diff.'],
    ['shelf --all', 'shelf takes update or diff.'],
    ['shelf updat', 'There is no command "shelf updat". Did you mean update?'],
    ['serve --prot 9000', 'serve has no option --prot. Did you mean --port?'],
    ['serve --prot=9000', 'serve has no option --prot. Did you mean --port?'],
    ['serve -p 9000', 'serve has no option -p.'],
    ['serve --verion', 'serve has no option --verion. Did you mean --version?'],
    ['serve --constructor', 'serve has no option --constructor.'],
    ['check --price', 'check has no option --price. Did you mean --prices?'],
    ['serve 9000', 'serve takes nothing: "9000" is one word too many.'],
    ['savings a b', 'savings takes FILE: "b" is one word too many.'],
    ['serve --port', '--port takes a port, from 0 to 65535.'],
    ['serve --port --host x', '--port takes a port, from 0 to 65535.'],
    ['serve --port=', '--port takes a port, from 0 to 65535.'],
    ['serve --port -1', '--port takes a port, from 0 to 65535.'],
    ['serve --port=-1', '--port takes a port, from 0 to 65535, not "-1".'],
    ['serve --port 65536', '--port takes a port, from 0 to 65535, not "65536".'],
    ['serve --port 08', '--port takes a port, from 0 to 65535, not "08".'],
    ['serve --port 1 --port 2', '--port is given twice.'],
    ['check --prices=yes', '--prices takes no value.'],
    ['serve --config', '--config takes a value.'],
  ])('that is refused: %s', ([line, fault]) => {
    expect(parse(line)).toMatchObject({ type: 'fault', fault })
  })
})

describe('the help', () => {
  test.for(all.map((command) => [command.name, command] as const))(
    'of %s has a line for each option',
    ([, command]) => {
      const text = helpText([command], 'gateway')
      for (const name of [...Object.keys(command.options), 'help', 'version']) {
        expect(text).toMatch(new RegExp(`^ {2}--${name}\\b.* {2}\\S`, 'm'))
      }
    },
  )

  test('of all has a line for each command', () => {
    const text = helpText(all, 'gateway')
    for (const { name } of all) expect(text).toMatch(new RegExp(`^ {2}${name}\\b.* {2}\\S`, 'm'))
  })
})
