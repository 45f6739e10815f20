import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { askPython, python } from './tools.ts'

const versions = ['1.31', '1.34', '1.37']
const key = 'sk-gateway-0123456789'
const shared = { database: { existingSecret: 'stores' }, redis: { url: 'redis://cache:6379' } }
const everything = {
  ...shared,
  replicas: 3,
  config: 'strict: true\n',
  existingSecret: 'keys',
  extraEnv: [{ name: 'LOG_LEVEL', value: 'debug' }],
  extraEnvFrom: [{ secretRef: { name: 'more' } }],
  ingress: {
    enabled: true,
    hosts: [{ host: 'llm.example.com', paths: ['/'] }],
    tls: [{ secretName: 'tls' }],
  },
  autoscaling: { enabled: true },
  serviceMonitor: { enabled: true },
  networkPolicy: { enabled: true },
  drain: { delaySeconds: 10, graceSeconds: 120 },
}

/** By what is to be known of them. */
const cases = {
  plain: { secrets: { GATEWAY_KEY: key } },
  everything,
  shared: { ...shared, replicas: 2, secrets: { GATEWAY_KEY: key } },
  databaseAlone: { database: shared.database },
  noWait: { drain: { delaySeconds: 0, graceSeconds: 0 } },
  twoAlone: { replicas: 2 },
  twoWithoutRedis: { replicas: 2, database: shared.database },
  scaledAlone: { autoscaling: { enabled: true } },
  misspelt: { replica: 1 },
  wrongUser: { podSecurityContext: { runAsUser: 'nobody' } },
  emptySecret: { secrets: { GATEWAY_KEY: '' } },
}

describe.skipIf(python === undefined)(
  'the chart, as Helm renders it (skipped until test/deploy/prepare.sh was run)',
  () => {
    let answers: ReadonlyMap<string, Rendered>
    let lint: {
      readonly errors?: readonly string[] | null
      readonly messages?: readonly { severity: number }[] | null
    }
    beforeAll(async () => {
      const program = readFileSync('test/deploy/chart.py', 'utf8')
      const asked = { chart: 'deploy/helm', values: Object.values(cases), versions }
      const answer = (await askPython(program, asked)) as { lint: typeof lint; rendered: readonly Rendered[] }
      lint = answer.lint
      answers = new Map(Object.keys(cases).map((name, at) => [name, answer.rendered[at] as Rendered]))
    })
    const of = (name: keyof typeof cases) => answers.get(name) as Rendered
    const one = (name: keyof typeof cases, kind: string): Manifest | undefined =>
      of(name).manifests.find((manifest) => manifest.kind === kind)
    const pod = (name: keyof typeof cases): Pod => {
      const found = one(name, 'Deployment')?.spec?.template?.spec
      if (found === undefined) throw new TypeError(`The chart has no Deployment for ${name}.`)
      return found
    }
    const containerOf = (name: keyof typeof cases): Container => {
      const [container] = pod(name).containers
      if (container === undefined) throw new TypeError(`The Deployment has no container for ${name}.`)
      return container
    }

    test('is linted without an error or a warning', () => {
      expect(lint.errors ?? []).toEqual([])
      expect((lint.messages ?? []).filter(({ severity }) => severity > 1)).toEqual([])
    })

    test.for(['plain', 'everything', 'shared', 'databaseAlone', 'noWait'] as const)(
      `gives manifests that Kubernetes ${versions.join(', ')} take: %s`,
      (name) => {
        expect(of(name).refused).toBeUndefined()
        expect(of(name).faults).toEqual([])
        expect(of(name).manifests.length).toBeGreaterThan(3)
      },
    )

    test('would be found to give one that Kubernetes does not take', () => {
      expect(of('wrongUser').faults).toHaveLength(versions.length)
      expect(of('wrongUser').faults[0]).toContain('1.31 Deployment: ')
    })

    test.for(['twoAlone', 'twoWithoutRedis', 'scaledAlone', 'misspelt', 'emptySecret'] as const)(
      'refuses values that do not go together: %s',
      (name) => {
        expect(of(name).refused).toContain("don't meet the specifications of the schema")
      },
    )

    test('runs one replica at a time on a volume of its own, unless database and Redis are shared', () => {
      expect(one('plain', 'Deployment')?.spec).toMatchObject({
        replicas: 1,
        strategy: { type: 'Recreate' },
      })
      expect(one('plain', 'PersistentVolumeClaim')).toBeDefined()
      expect(one('databaseAlone', 'Deployment')?.spec?.strategy?.type).toBe('Recreate')
      expect(one('shared', 'Deployment')?.spec).toMatchObject({
        replicas: 2,
        strategy: { type: 'RollingUpdate' },
      })
      expect(one('shared', 'PersistentVolumeClaim')).toBeUndefined()
      expect(one('shared', 'PodDisruptionBudget')).toBeDefined()
      expect(one('plain', 'PodDisruptionBudget')).toBeUndefined()
    })

    test('writes nowhere but to its volumes, as nobody, with no leave to more', () => {
      const container = containerOf('plain')
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      })
      const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true)
      expect(writable.map(({ mountPath }) => mountPath)).toEqual(['/data', '/tmp'])
      expect(pod('plain').automountServiceAccountToken).toBe(false)
    })

    test.for(['plain', 'everything', 'noWait'] as const)(
      'gives the pod longer than the gateway takes: %s',
      (name) => {
        const config = loadFrom(one(name, 'ConfigMap'))
        const pauseMs = (containerOf(name).lifecycle?.preStop.sleep.seconds ?? 0) * 1000
        const needed = pauseMs + config.drain.graceMs
        expect(config.drain.delayMs).toBe(0)
        expect(pod(name).terminationGracePeriodSeconds * 1000).toBeGreaterThan(needed)
      },
    )

    test('asks what the gateway has for its health', () => {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf('plain')
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe.httpGet.path)
      expect(paths).toEqual(['/livez', '/livez', '/readyz'])
    })

    test('mounts the file as a folder, so that a change of it is seen', () => {
      const mount = containerOf('plain').volumeMounts.find((each) => each.name === 'config')
      expect(mount).toEqual({ name: 'config', mountPath: '/etc/gateway', readOnly: true })
    })

    test('takes keys from a Secret of the operator’s own, and then makes none', () => {
      expect(containerOf('everything').envFrom).toEqual([
        { secretRef: { name: 'keys' } },
        { secretRef: { name: 'more' } },
      ])
      expect(one('everything', 'Secret')?.stringData).toEqual({ REDIS_URL: 'redis://cache:6379' })
      expect(one('plain', 'Secret')?.stringData).toEqual({ GATEWAY_KEY: key })
      const named = containerOf('everything').env.map((variable) => variable.name)
      expect(named).toEqual(expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'LOG_LEVEL']))
    })
  },
)

describe('the values', () => {
  const values: Values = parse(readFileSync('deploy/helm/values.yaml', 'utf8'))
  const schema: Schema = JSON.parse(readFileSync('deploy/helm/values.schema.json', 'utf8'))

  test('and their schema have the same names', () => {
    expect(namesOf(values, schema)).toEqual([])
  })

  test('name the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(parse(readFileSync('deploy/helm/Chart.yaml', 'utf8'))).toMatchObject({
      version,
      appVersion: version,
    })
  })
})

type Rendered = {
  readonly refused?: string
  readonly manifests: readonly Manifest[]
  readonly faults: readonly string[]
}

/** The fields of manifests that these tests read. */
type Manifest = {
  readonly kind: string
  readonly spec?: {
    readonly strategy?: { readonly type: string }
    readonly template?: { readonly spec: Pod }
  }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}

type Pod = {
  readonly containers: readonly Container[]
  readonly automountServiceAccountToken?: boolean
  readonly terminationGracePeriodSeconds: number
}

type Container = {
  readonly securityContext: object
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly envFrom: readonly object[]
  readonly env: readonly { readonly name: string }[]
}

type Probe = { readonly httpGet: { readonly path: string } }

type Values = { readonly [name: string]: unknown }

type Schema = { readonly properties?: { readonly [name: string]: Schema } }

function loadFrom(configMap: Manifest | undefined) {
  const text = configMap?.data?.['gateway.yaml'] ?? ''
  const environment = { GATEWAY_KEY: key, HOST: '0.0.0.0', GATEWAY_CONFIG: '/etc/gateway/gateway.yaml' }
  const readFile = (path: string) => {
    if (path === environment.GATEWAY_CONFIG) return text
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  return loadConfig({ environment, readFile, providers })
}

/** The places that one of the two has alone; `global` is every chart's. */
function namesOf(values: Values, schema: Schema, place = ''): readonly string[] {
  const known = Object.keys(schema.properties ?? {}).filter((name) => place !== '' || name !== 'global')
  const written = Object.keys(values)
  const alone = [...new Set([...known, ...written])].filter(
    (name) => !known.includes(name) || !written.includes(name),
  )
  const below = written.flatMap((name) => {
    const inner = schema.properties?.[name]
    return inner?.properties === undefined ? [] : namesOf(values[name] as Values, inner, `${place}${name}.`)
  })
  return [...alone.map((name) => place + name), ...below]
}
