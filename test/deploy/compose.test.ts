import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { variables } from '../../src/config/source/environment.ts'
import { missingTool, runTool } from './tools.ts'

const text = readFileSync('compose.yaml', 'utf8')
const compose: Compose = parse(text, { merge: true })
const services = Object.entries(compose.services)

describe('compose.yaml', () => {
  test.skipIf(missingTool('check-jsonschema'))(
    'is what the compose specification says (skipped until test/deploy/prepare.sh was run)',
    async () => {
      const words = ['--builtin-schema', 'vendor.compose-spec', 'compose.yaml']
      expect(await runTool('check-jsonschema', words)).toMatchObject({ code: 0 })
    },
  )

  test('has the gateway alone, and the rest with the profile `full`', () => {
    const alone = services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name)
    expect(alone).toEqual(['gateway'])
    const full = services.filter(([, { profiles }]) => profiles?.includes('full')).map(([name]) => name)
    expect(full).toEqual(['postgres', 'redis', 'prometheus', 'grafana'])
  })

  test('mounts nothing that is not shipped', () => {
    const mounts = services
      .flatMap(([, { volumes = [] }]) => volumes)
      .map((mount) => mount.split(':')[0] ?? '')
    const paths = mounts.filter((source) => source.startsWith('.'))
    expect(paths.length).toBeGreaterThan(4)
    expect(paths.filter((path) => !existsSync(path))).toEqual([])
    const named = mounts.filter((source) => !source.startsWith('.'))
    expect(named.toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
  })

  test('needs no variable: each has a default', () => {
    expect([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name)).toEqual([])
  })

  test('gives the gateway only variables that it reads', () => {
    const read = variables.map(({ name }) => name)
    const given = Object.keys(compose.services['gateway']?.environment ?? {})
    expect(given.filter((name) => !read.includes(name))).toEqual([])
  })

  test('shows no port to other machines, nothing writes to an image, nobody has leave to more', () => {
    for (const [name, { ports = [], ...service }] of services) {
      for (const port of ports) expect(port, name).toMatch(/^(127\.0\.0\.1|\$\{BIND:-127\.0\.0\.1\}):/)
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  test('waits longer for the gateway than it takes to drain', () => {
    const graceMs = Number.parseInt(compose.services['gateway']?.stop_grace_period ?? '', 10) * 1000
    const [, configured] = /^ {2}graceMs: (\d+)/m.exec(readFileSync('gateway.example.yaml', 'utf8')) ?? []
    expect(graceMs).toBeGreaterThan(Number(configured) + 5000)
  })
})

type Compose = {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

type Service = {
  readonly profiles?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly stop_grace_period?: string
}
