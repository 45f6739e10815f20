import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { runGateway, startGateway } from '../acceptance/gateway-process.ts'

describe.concurrent('the command line', () => {
  test.for(commands.map(({ name }) => name))(
    '%s --help prints its options and does nothing',
    async (name) => {
      const { code, stdout, stderr } = await runGateway([...name.split(' '), '--help'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(`Usage: npm run gateway -- ${name}`)
      expect(stdout).toContain('--version')
    },
  )

  test.for(commands.map(({ name }) => name))('%s stops at an option that it does not have', async (name) => {
    const { code, stdout, stderr } = await runGateway([...name.split(' '), '--hlep'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`${name} has no option --hlep. Did you mean --help?`)
    expect(stderr).toContain(`See npm run gateway -- ${name} --help`)
  })

  test('--version prints the version alone', async () => {
    const { code, stdout } = await runGateway(['--version'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('an option of the command', () => {
  test('wins over the environment, and that over the file', async () => {
    await using gateway = await startGateway({
      words: ['--host', '127.0.0.1'],
      environment: { HOST: '192.0.2.1' },
      file: 'server: { host: 192.0.2.2 }',
    })
    expect(new URL(gateway.url).hostname).toBe('127.0.0.1')
  })

  test('keeps winning when the file is taken again', async () => {
    await using gateway = await startGateway({ words: ['--port', '0'], file: 'server: { port: 1 }' })
    await writeFile(gateway.file, 'server: { port: 2 }\nslowThresholdMs: 7\n')
    process.kill(gateway.pid, 'SIGHUP')
    const line = await gateway.line(({ msg }) => msg.includes('configuration'))
    expect(line.msg).toContain('applied')
    expect(gateway.url).not.toMatch(/:[12]$/)
  })

  test('names the file of all other settings, before the environment does', async () => {
    const { code, stderr } = await runGateway(['check', '--config', 'none.yaml'], {
      environment: { GATEWAY_CONFIG: 'other.yaml' },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('command line: --config: found "none.yaml", expected the path of a file')
  })

  test('is named where its value is refused', async () => {
    const { code, stdout, stderr } = await runGateway(['serve', '--host', 'no host'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('command line: --host: found "no host", expected a host name')
  })
})
