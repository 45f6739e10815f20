import { upstreamHeaderCanary } from './upstream/refusals.ts'

/** Each is unique: where one of them turns up, it came from there. */
export const upstreamKey = 'up-canary-8842ab-of-the-upstream'
export const gatewayKey = 'sk-canary-51c9e0-of-this-gateway'

/** Of who looks at the metrics and at the deployments. */
export const adminKey = 'gw-canary-7d20b4-of-the-manager'
export const promptCanary = 'promptcanary30f6'

/** What no log, no error and no header may hold. */
export const secrets = [upstreamKey, gatewayKey, adminKey, upstreamHeaderCanary, '10.9.8.7']
