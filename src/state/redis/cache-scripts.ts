import { scriptOf } from './connection.ts'

/**
 * Answers in Redis, each in its own cluster slot. KEYS[1] is a hash of its owner (`o`), its fingerprint (`f`), and the
 * id of this making (`g`); KEYS[1]:p:MAKING is the list of its pieces, KEYS[1]:s:MAKING its state.
 */
const prelude = `
local M = KEYS[1]
local call = redis.call
local function making(owner)
  local v = call('HMGET', M, 'o', 'g')
  if v[1] ~= owner or not v[2] then return nil end
  if call('GET', M .. ':s:' .. v[2]) ~= 'making' then return nil end
  return v[2]
end
local function lose(g)
  call('DEL', M, M .. ':s:' .. g, M .. ':p:' .. g)
  call('PUBLISH', M, g)
end
`

/** ARGV: owner, fingerprint, time allowed, an id for this making. */
export const beginScript = scriptOf(
  'begin',
  `${prelude}
local v = call('HMGET', M, 'f', 'g')
if v[2] then
  local state = call('GET', M .. ':s:' .. v[2])
  if state then return {v[1], state} end
end
call('HSET', M, 'o', ARGV[1], 'f', ARGV[2], 'g', ARGV[4])
call('PEXPIRE', M, ARGV[3])
call('SET', M .. ':s:' .. ARGV[4], 'making', 'PX', ARGV[3])
return {}`,
)

/**
 * ARGV: owner, a piece, its position (-1: the end). A piece that is there already is not added again. If earlier ones are
 * missing, because a server took over that was behind, the answer is lost.
 */
export const appendScript = scriptOf(
  'append',
  `${prelude}
local g = making(ARGV[1])
if not g then return 0 end
local list, at = M .. ':p:' .. g, tonumber(ARGV[3])
local length = call('LLEN', list)
if at > length then
  lose(g)
  return 0
end
if ARGV[2] == '' or (at >= 0 and at < length) then return 1 end
call('RPUSH', list, ARGV[2])
if length == 0 then call('PEXPIRE', list, math.max(1, call('PTTL', M))) end
call('PUBLISH', M, g)
return 1`,
)

/** ARGV: owner, how long it is kept, `drop` or `keep`, the number of pieces (-1: any). With fewer, it is lost. */
export const finishScript = scriptOf(
  'finish',
  `${prelude}
local g = making(ARGV[1])
if not g then return 0 end
if call('LLEN', M .. ':p:' .. g) < tonumber(ARGV[4]) then
  lose(g)
  return 0
end
call('SET', M .. ':s:' .. g, 'whole', 'PX', ARGV[2])
call('PEXPIRE', M .. ':p:' .. g, ARGV[2])
if ARGV[3] == 'drop' then call('DEL', M) else call('PEXPIRE', M, ARGV[2]) end
call('PUBLISH', M, g)
return 1`,
)

/** ARGV: owner. It is lost if that owner has not completed it. */
export const loseScript = scriptOf(
  'lose',
  `${prelude}
local g = making(ARGV[1])
if not g then return 0 end
lose(g)
return 1`,
)

/** ARGV: owner. It is removed if that owner has made and completed it. */
export const forgetScript = scriptOf(
  'forget',
  `${prelude}
local v = call('HMGET', M, 'o', 'g')
if v[1] ~= ARGV[1] or call('GET', M .. ':s:' .. v[2]) ~= 'whole' then return 0 end
return call('DEL', M, M .. ':s:' .. v[2], M .. ':p:' .. v[2])`,
)

/** ARGV: the making ('' for the current one), the first piece. Returns the making, its state, and pieces. */
export const followScript = scriptOf(
  'follow',
  `${prelude}
local g = ARGV[1]
if g == '' then g = call('HGET', M, 'g') or '' end
local state = call('GET', M .. ':s:' .. g)
if g == '' or not state then return {g, 'lost'} end
return {g, state, call('LRANGE', M .. ':p:' .. g, ARGV[2], ARGV[2] + 255)}`,
)
