import { scriptOf } from './connection.ts'
import { prelude } from './money-scripts.ts'
import { ratePrelude } from './rate-scripts.ts'

/**
 * Applies the reports of a process, in order, each batch once. `told:PROCESS` is the number of the last batch. ARGV:
 * process, generation, number, field of spent amounts (`s`, or `m` for late reports), then for each step its letter and
 * its arguments. Returns the result of each step; false if the batch was applied before.
 */
export const reportScript = scriptOf(
  'report',
  `${ratePrelude}
local fenced = fence()
if fenced then return fenced end
local told = P .. 'told:' .. ARGV[1]
if num(ARGV[3]) <= num(call('GET', told)) then return false end
call('SET', told, ARGV[3], 'PX', 7 * 86400000)
local spent = ARGV[4]
local at = 5
local function take() at = at + 1 return ARGV[at - 1] end
local function charge(id, count, isKnown)
  local result, isUncertain, parts = {1}, false, {}
  for _ = 1, count do
    local part = { take(), take(), take() }
    parts[#parts + 1] = part
    if part[3] ~= '0' then isUncertain = true end
    if isKnown then
      result[#result + 1] = add(part[1], spent, part[2])
      result[#result + 1] = add(part[1], 'u', part[3])
    end
  end
  if not isKnown then return {0} end
  if isUncertain then for _, part in ipairs(parts) do leave(id, part[1], part[2], part[3]) end end
  return result
end
local steps = {
  -- Settles a hold, if it is open.
  S = function()
    local id, count = take(), num(take())
    return charge(id, count, free(id) ~= nil)
  end,
  -- Charges a call whose hold was never taken here.
  K = function()
    local id, count = take(), num(take())
    return charge(id, count, true)
  end,
  -- Settles a hold that the process has certainly taken. If it was abandoned meanwhile, its charges
  -- replace what is uncertain since then; if a failover has lost it, it is charged anyway.
  T = function()
    local id, count = take(), num(take())
    if not free(id) then
      local key = P .. 'u:' .. id
      local left = call('LRANGE', key, 0, -1)
      call('DEL', key)
      for i = 1, #left, 3 do add(left[i], 'u', '-' .. left[i + 2]) end
    end
    return charge(id, count, true)
  end,
  -- Takes a hold, or its growth, regardless of limits.
  F = function()
    local id, owner, count = take(), take(), num(take())
    local key = P .. 'h:' .. id
    if call('EXISTS', key) == 0 then
      call('RPUSH', key, owner)
      own('owned', owner, id)
    end
    for _ = 1, count do
      local counter, amount = take(), take()
      add(counter, 'h', amount)
      call('RPUSH', key, counter, amount)
    end
    return {1}
  end,
  C = function()
    local counter, amount, keepMs = take(), take(), take()
    return {add(counter, spent, amount, keepMs)}
  end,
  R = function()
    local key, perMinute, burst, amount = take(), num(take()), num(take()), num(take())
    refund(key, perMinute, burst, amount)
    return {1}
  end,
  L = function()
    release(take())
    return {1}
  end,
  P = function()
    local id, owner, count, slots = take(), take(), num(take()), {}
    for _ = 1, count do slots[#slots + 1] = take() end
    takePlaces(id, owner, slots)
    return {1}
  end,
  -- Frees the pool places of a worker that has died.
  Q = function()
    leavePools(take())
    return {1}
  end,
  -- Returns everything that the process has leased.
  Z = function()
    local key = P .. 'slices:' .. ARGV[1]
    local slices = call('HGETALL', key)
    for i = 1, #slices, 2 do add(slices[i], 'l', '-' .. slices[i + 1]) end
    call('DEL', key)
    return {1}
  end,
}
local results = {}
while at <= #ARGV do results[#results + 1] = steps[take()]() end
return results`,
)

/**
 * Registers a connected process. Commands of its previous connection are void from now on. ARGV: process, generation, a
 * name for this data set. Returns the data set's name, its holds, and its leases, those of its workers included.
 */
export const helloScript = scriptOf(
  'hello',
  `${prelude}
local owner = ARGV[1]
call('SET', P .. 'gen:' .. owner, ARGV[2], 'PX', 7 * 86400000)
call('SET', P .. 'data', ARGV[3], 'NX')
local time = call('TIME')
call('ZADD', P .. 'nodes', num(time[1]) * 1000 + math.floor(num(time[2]) / 1000), owner)
local holds, leases = {}, {}
for _, each in ipairs(ownersOf(owner)) do
  for _, id in ipairs(call('SMEMBERS', P .. 'owned:' .. each)) do holds[#holds + 1] = id end
  for _, id in ipairs(call('SMEMBERS', P .. 'leases:' .. each)) do leases[#leases + 1] = id end
end
return {call('GET', P .. 'data'), holds, leases}`,
)

/**
 * ARGV: process, generation, then for each counter: its name, spent, late, uncertain, time to live. Restores counters.
 * Larger values in Redis stay.
 */
export const restoreScript = scriptOf(
  'restore',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
for i = 3, #ARGV, 5 do
  local key = P .. 'c:' .. ARGV[i]
  local isNew = call('EXISTS', key) == 0
  for at, field in ipairs({'s', 'm', 'u'}) do
    if num(ARGV[i + at]) > num(call('HGET', key, field)) then call('HSET', key, field, ARGV[i + at]) end
  end
  if isNew and ARGV[i + 4] ~= '0' then call('PEXPIRE', key, ARGV[i + 4]) end
end
return 1`,
)

/** ARGV: process, generation, how long a node may be silent. Returns the number of nodes, and the silent ones. */
export const beatScript = scriptOf(
  'beat',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
local time = call('TIME')
local now = num(time[1]) * 1000 + math.floor(num(time[2]) / 1000)
call('ZADD', P .. 'nodes', now, ARGV[1])
call('PEXPIRE', P .. 'gen:' .. ARGV[1], 7 * 86400000)
local since = now - num(ARGV[3])
return {call('ZCOUNT', P .. 'nodes', since, '+inf'), call('ZRANGEBYSCORE', P .. 'nodes', '-inf', '(' .. since)}`,
)

/** ARGV: process, generation. Removes a node that ends without open holds. */
export const leaveScript = scriptOf(
  'leave',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
local key = P .. 'slices:' .. ARGV[1]
local slices = call('HGETALL', key)
for i = 1, #slices, 2 do add(slices[i], 'l', '-' .. slices[i + 1]) end
call('DEL', key)
for _, owner in ipairs(ownersOf(ARGV[1])) do leavePools(owner) end
if call('SCARD', P .. 'owned:' .. ARGV[1]) + call('SCARD', P .. 'leases:' .. ARGV[1]) == 0 then
  call('ZREM', P .. 'nodes', ARGV[1])
  call('SREM', P .. 'owners', ARGV[1])
  call('DEL', P .. 'told:' .. ARGV[1])
end
call('DEL', P .. 'gen:' .. ARGV[1])
return 1`,
)

/**
 * Leases slices of budgets to a process, which continues within them while Redis is unavailable. ARGV: process,
 * generation, the share of a limit that may be leased, the number of nodes, then for each counter: its name, its limit,
 * the least useful amount (0: return all), time to live, its slice so far. Returns its slice of each from now on. Until
 * the process says that it has a smaller one, the larger one stays leased: this answer may not reach it. The slice is followed
 * by the amounts spent, spent late and uncertain, so that every node can restore them.
 */
export const leaseScript = scriptOf(
  'lease',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
local part, nodes = num(ARGV[3]), num(ARGV[4])
local key = P .. 'slices:' .. ARGV[1]
local slices = {}
for i = 5, #ARGV, 5 do
  local counter, limit, least = ARGV[i], num(ARGV[i + 1]), num(ARGV[i + 2])
  local s, h, l, u = cell(counter)
  local mine = num(call('HGET', key, counter))
  local others = l - mine
  local room = limit - s - h - u - others
  local slice = math.floor(math.min(room * part / nodes, limit * part - others))
  if least == 0 or slice < least then slice = 0 end
  local leased = math.max(slice, math.min(mine, num(ARGV[i + 4])))
  if leased ~= mine then
    add(counter, 'l', text(leased - mine), ARGV[i + 3])
    if leased == 0 then call('HDEL', key, counter) else call('HSET', key, counter, text(leased)) end
  end
  local v = call('HMGET', P .. 'c:' .. counter, 's', 'm', 'u')
  local count = #slices
  slices[count + 1], slices[count + 2], slices[count + 3], slices[count + 4] = slice, num(v[1]), num(v[2]), num(v[3])
end
return slices`,
)
