import { scriptOf } from './connection.ts'

/** Texts with expiry, and sets of names. Single commands, written as scripts so that everything is sent in one way. */
export const getScript = scriptOf('get', `return redis.call('GET', KEYS[1])`)

export const putScript = scriptOf('put', `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1`)

export const removeScript = scriptOf('remove', `return redis.call('DEL', KEYS[1])`)

/** ARGV: `add` or `remove`, a member. */
export const memberScript = scriptOf(
  'member',
  `if ARGV[1] == 'remove' then return redis.call('SREM', KEYS[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], 86400000)
return redis.call('SADD', KEYS[1], ARGV[2])`,
)

export const membersScript = scriptOf('members', `return redis.call('SMEMBERS', KEYS[1])`)

/** ARGV: a channel, a text. */
export const publishScript = scriptOf('publish', `return redis.call('PUBLISH', ARGV[1], ARGV[2])`)
