import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { variables } from '../../src/config/source/environment.ts'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { askPython, missingTool, python, runTool } from './tools.ts'

const key = 'sk-gateway-0123456789'
const taskDefinition = JSON.parse(readFileSync('deploy/aws/task-definition.json', 'utf8'))
const express = JSON.parse(readFileSync('deploy/aws/express-service.json', 'utf8'))
const stack = parse(readFileSync('deploy/aws/fargate.yaml', 'utf8'), { customTags: cloudFormationTags() })
const cloudRun = parse(readFileSync('deploy/gcp/service.yaml', 'utf8'))
const blueprint = parse(readFileSync('render.yaml', 'utf8'))

describe('what the platforms’ own descriptions say (skipped until test/deploy/prepare.sh was run)', () => {
  test.skipIf(python === undefined)('of ECS and Cloud Run: nothing is wrong', async () => {
    const ecs = {
      RegisterTaskDefinition: 'deploy/aws/task-definition.json',
      CreateExpressGatewayService: 'deploy/aws/express-service.json',
    }
    const program = readFileSync('test/deploy/platforms.py', 'utf8')
    const { misspelt, ...faults } = (await askPython(program, {
      ecs,
      run: 'deploy/gcp/service.yaml',
    })) as Faults
    expect(Object.values(faults)).toEqual([[], [], []])
    expect(misspelt).toHaveLength(2)
  })

  test.skipIf(missingTool('cfn-lint'))('of CloudFormation: nothing is wrong', async () => {
    const { code, stdout } = await runTool('cfn-lint', ['deploy/aws/fargate.yaml'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  })
})

describe('the Blueprint of Render', () => {
  test('has only what its reference describes', () => {
    expect(blueprintSchema.safeParse(blueprint).error).toBeUndefined()
  })

  test('runs one instance while the ledger is on its disk, and none of its secrets is written down', () => {
    const [service] = blueprint.services
    expect(service).toMatchObject({
      numInstances: 1,
      disk: { mountPath: '/data' },
      healthCheckPath: '/readyz',
    })
    expect(service.envVars.every((one: object) => 'generateValue' in one || 'sync' in one)).toBe(true)
  })
})

describe('every platform', () => {
  const task = stack.Resources.Task.Properties
  const [taskContainer] = taskDefinition.containerDefinitions
  const [runContainer] = cloudRun.spec.template.spec.containers
  const [stackContainer] = task.ContainerDefinitions
  const named = (list: readonly Named[]) =>
    Object.fromEntries(list.map((one) => [one.name ?? one.Name ?? one.key, one.value ?? one.Value]))
  const places = [
    {
      name: 'Fargate',
      given: named([...taskContainer.environment, ...taskContainer.secrets]),
      stopSeconds: taskContainer.stopTimeout,
    },
    {
      name: 'CloudFormation',
      given: named([...stackContainer.Environment, ...stackContainer.Secrets]),
      stopSeconds: stackContainer.StopTimeout,
    },
    {
      name: 'Express Mode',
      given: named([...express.primaryContainer.environment, ...express.primaryContainer.secrets]),
      // What ECS gives where nothing is said.
      stopSeconds: 30,
    },
    { name: 'Cloud Run', given: named(runContainer.env), stopSeconds: 10 },
    {
      name: 'Render',
      given: named(blueprint.services[0].envVars),
      stopSeconds: blueprint.services[0].maxShutdownDelaySeconds,
    },
  ]

  test.for(places)('gives variables that the gateway reads: $name', ({ given }) => {
    // Those are read by what is built beside.
    const known = [
      ...variables.map(({ name }) => name),
      'GATEWAY_YAML',
      'ADMIN_KEY',
      'DATABASE_URL',
      'REDIS_URL',
    ]
    expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([])
    expect(given).toHaveProperty('GATEWAY_KEY')
    expect(given['GATEWAY_KEY']).toBeUndefined()
  })

  test.for(places)('waits longer than the gateway takes to drain: $name', ({ given, stopSeconds }) => {
    const text = given['GATEWAY_YAML']
    const environment = { HOST: '0.0.0.0', GATEWAY_KEY: key, GATEWAY_YAML: text }
    const { drain } = loadConfig({ environment, readFile: noFile, providers })
    expect(stopSeconds * 1000).toBeGreaterThan(drain.graceMs)
    expect(drain.graceMs).toBeGreaterThanOrEqual(drain.delayMs)
  })

  test('asks the paths that are there', () => {
    expect(stack.Resources.Targets.Properties.HealthCheckPath).toBe('/readyz')
    expect(runContainer.startupProbe.httpGet.path).toBe('/livez')
    expect(express.healthCheckPath).toBe('/readyz')
  })

  test('lets a stream be silent, and last, as long as a call may take', () => {
    const { limits } = loadConfig({ environment: {}, readFile: noFile, providers })
    const idle = stack.Resources.Balancer.Properties.LoadBalancerAttributes.find(
      ({ Key }: { Key: string }) => Key === 'idle_timeout.timeout_seconds',
    )
    expect(Number(idle.Value) * 1000).toBeGreaterThan(limits.deadlineMs)
    expect(cloudRun.spec.template.spec.timeoutSeconds * 1000).toBeGreaterThan(limits.deadlineMs)
  })

  test('has a page that a person can follow', () => {
    for (const page of ['docker', 'compose', 'kubernetes', 'render', 'aws', 'gcp', 'proxy']) {
      expect(existsSync(`docs/deploy/${page}.md`), page).toBe(true)
    }
  })
})

type Faults = Readonly<Record<string, readonly string[]>>

type Named = {
  readonly name?: string
  readonly Name?: string
  readonly key?: string
  readonly value?: string
  readonly Value?: string
}

function noFile(): never {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

/** CloudFormation's short forms of functions stand for what is not known here. */
function cloudFormationTags() {
  return ['!Ref', '!Sub', '!GetAtt'].map((tag) => ({ tag, resolve: (text: string) => text }))
}

/** The fields of https://render.com/docs/blueprint-spec that are used here, and what they may be. */
const blueprintSchema = z.strictObject({
  services: z.array(
    z.strictObject({
      type: z.enum(['web', 'pserv', 'worker', 'cron', 'keyvalue']),
      name: z.string(),
      runtime: z.enum(['docker', 'image', 'node']),
      dockerfilePath: z.string().refine((path) => existsSync(path)),
      dockerContext: z.string().refine((path) => existsSync(path)),
      plan: z.enum(['free', 'starter', 'standard', 'pro', 'pro plus', 'pro max', 'pro ultra']),
      region: z.enum(['oregon', 'ohio', 'virginia', 'frankfurt', 'singapore']),
      numInstances: z.int().min(1),
      healthCheckPath: z.string().startsWith('/'),
      maxShutdownDelaySeconds: z.int().min(1).max(300),
      disk: z.strictObject({ name: z.string(), mountPath: z.string(), sizeGB: z.int().min(1) }),
      envVars: z.array(
        z.union([
          z.strictObject({ key: z.string(), value: z.string() }),
          z.strictObject({ key: z.string(), generateValue: z.literal(true) }),
          z.strictObject({ key: z.string(), sync: z.literal(false) }),
        ]),
      ),
    }),
  ),
})
