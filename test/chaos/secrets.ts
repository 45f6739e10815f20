import { upstreamHeaderCanary } from './refusals.ts'

/** Each is unique: where one of them turns up, it came from there. */
export const upstreamKey = 'up-canary-8842ab-of-the-upstream'
export const gatewayKey = 'sk-canary-51c9e0-of-this-gateway'
export const promptCanary = 'promptcanary30f6'

/** What no log, no error and no header may hold. */
export const secrets = [upstreamKey, gatewayKey, upstreamHeaderCanary, '10.9.8.7']
