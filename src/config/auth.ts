import * as z from 'zod'
import { roles } from '../core/authenticate.ts'

/** `auth` of gateway.yaml: the keys of those who ask for work, and of those who manage the gateway. */
export const authSetting = z
  .strictObject({
    keys: z.array(gatewayKey()).default([]),
    adminKeys: z.array(z.strictObject({ key: gatewayKey(), role: z.enum(roles) })).default([]),
  })
  .check(({ value: { keys, adminKeys }, issues }) => {
    for (const [index, { key }] of adminKeys.entries()) {
      const path = ['adminKeys', index]
      if (keys.includes(key)) issues.push({ code: 'custom', path, input: adminKeys[index], message: ownKey })
    }
  })
  .prefault({})

const ownKey = 'a key of its own, that is not in auth.keys'

function gatewayKey() {
  return z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/)
    .meta({ secret: true, expected: 'at least 16 characters of printable ASCII, no spaces' })
}
