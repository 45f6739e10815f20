import { expect, test } from 'vitest'
import { defaultUrl, endpointAddress } from '../../../src/providers/runpod/address.ts'

test.for([
  [defaultUrl, false, 'https://api.runpod.ai/v2/ep1/openai/v1', 'https://api.runpod.ai/v2/ep1/health'],
  [defaultUrl, true, 'https://ep1.api.runpod.ai/v1', 'https://ep1.api.runpod.ai/ping'],
  [
    'http://127.0.0.1:9000/',
    false,
    'http://127.0.0.1:9000/ep1/openai/v1',
    'http://127.0.0.1:9000/ep1/health',
  ],
  ['http://127.0.0.1:9000/', true, 'http://127.0.0.1:9000/v1', 'http://127.0.0.1:9000/ping'],
] as const)('below %s, load balancer %s, calls go to %s', ([baseUrl, loadBalancer, openAiUrl, healthUrl]) => {
  const address = endpointAddress({ baseUrl, endpointId: 'ep1', loadBalancer })
  expect(address.openAiUrl).toBe(openAiUrl)
  expect(address.origin + address.healthPath).toBe(healthUrl)
})
