import { expect, test } from 'vitest'
import { type DeploymentName, deploymentAddress } from '../../../src/providers/baseten/address.ts'

const ofModel = (host: string, target: string) => ({
  origin: `https://${host}.api.baseten.co`,
  server: `https://${host}.api.baseten.co${target}/sync/v1`,
  predictPath: `${target}/predict`,
  wakePath: `${target}/wake`,
})

test.for<readonly [name: Partial<DeploymentName>, address: object]>([
  [{ model: 'abc' }, ofModel('model-abc', '/production')],
  [{ model: 'abc', environment: 'production' }, ofModel('model-abc', '/production')],
  [{ model: 'abc', environment: 'development' }, ofModel('model-abc', '/development')],
  [{ model: 'abc', environment: 'staging' }, ofModel('model-abc', '/environments/staging')],
  [{ model: 'abc', deployment: 'w5x' }, ofModel('model-abc', '/deployment/w5x')],
  [{ model: 'abc', environment: 'prod-eu', regional: true }, ofModel('model-abc-prod-eu', '')],
  [
    { chain: 'c1' },
    {
      origin: 'https://chain-c1.api.baseten.co',
      server: undefined,
      predictPath: '/production/run_remote',
      wakePath: undefined,
    },
  ],
])('at Baseten, %j has its own host and paths', ([name, address]) => {
  expect(deploymentAddress({ regional: false, ...name }, undefined)).toEqual(address)
})

test('elsewhere, the paths are below the address that is set', () => {
  expect(deploymentAddress({ model: 'abc', regional: false }, 'http://127.0.0.1:9/a/?b=c')).toEqual({
    origin: 'http://127.0.0.1:9',
    server: 'http://127.0.0.1:9/a/production/sync/v1?b=c',
    predictPath: '/a/production/predict?b=c',
    wakePath: '/a/production/wake?b=c',
  })
})
