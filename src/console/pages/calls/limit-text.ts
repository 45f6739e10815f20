import type { WholeCall } from './call-types.ts'

/** A readable name of the budget or limit of a call: `the budget "day" of the key intern`. */
export function limitTextOf({
  limit,
  key_hash: hash,
  key_name: keyName,
}: Pick<WholeCall, 'limit' | 'key_hash' | 'key_name'>): string {
  const [, scope = '', name = ''] = /^budget\/(gateway|(?:team|key):.+)\/([^/]+)$/.exec(limit ?? '') ?? []
  if (scope === '') return `the limit ${limit}`
  const [kind, owner = ''] = scope.split(/:(.*)/)
  if (kind === 'gateway') return `the budget "${name}" of the gateway`
  return `the budget "${name}" of the ${kind} ${owner === hash && keyName !== null ? keyName : owner}`
}
