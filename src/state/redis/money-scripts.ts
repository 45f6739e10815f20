import { scriptOf } from './connection.ts'

/**
 * Money in Redis, all in one cluster slot. `c:COUNTER` has the amounts spent (`s`), spent late (`m`: while Redis was
 * unavailable, and for a time after that, in which other nodes restore `s`), held (`h`), leased (`l`) and uncertain (`u`). `h:HOLD` is a list: its owner, then a counter
 * and an amount per part. `u:HOLD` has the uncertain amounts of a settled hold. `owned:OWNER` has an owner's holds.
 */
export const prelude = `
local P = KEYS[1]
local call = redis.call
local function num(value) return tonumber(value) or 0 end
local function text(value) return string.format('%.0f', value) end
local function fence()
  if call('GET', P .. 'gen:' .. ARGV[1]) ~= ARGV[2] then return redis.error_reply('FENCED by a later connection') end
end
local function cell(counter)
  local v = call('HMGET', P .. 'c:' .. counter, 's', 'm', 'h', 'l', 'u')
  return num(v[1]) + num(v[2]), num(v[3]), num(v[4]), num(v[5])
end
local function add(counter, field, amount, keepMs)
  local key = P .. 'c:' .. counter
  local now = call('HINCRBY', key, field, amount)
  if keepMs and keepMs ~= '0' and now == num(amount) then call('PEXPIRE', key, keepMs) end
  return now
end
local function own(kind, owner, id)
  local key = P .. kind .. ':' .. owner
  if call('SADD', key, id) == 1 and call('SCARD', key) == 1 then call('SADD', P .. 'owners', owner) end
end
local function merged(hold)
  local whole, places = {hold[1]}, {}
  for i = 2, #hold, 2 do
    local place = places[hold[i]]
    if place then
      whole[place] = text(num(whole[place]) + num(hold[i + 1]))
    else
      whole[#whole + 1] = hold[i]
      whole[#whole + 1] = hold[i + 1]
      places[hold[i]] = #whole
    end
  end
  return whole
end
local function free(id)
  local key = P .. 'h:' .. id
  local hold = call('LRANGE', key, 0, -1)
  if #hold == 0 then return nil end
  call('DEL', key)
  call('SREM', P .. 'owned:' .. hold[1], id)
  local whole = merged(hold)
  for i = 2, #whole, 2 do add(whole[i], 'h', '-' .. whole[i + 1]) end
  return whole
end
local uncertainMs = 100 * 86400000
local function leave(id, counter, spent, uncertain)
  local key = P .. 'u:' .. id
  call('RPUSH', key, counter, spent, uncertain)
  call('PEXPIRE', key, uncertainMs)
end
local function release(id)
  local key = P .. 'lease:' .. id
  local lease = call('LRANGE', key, 0, -1)
  if #lease == 0 then return end
  for i = 2, #lease do call('SREM', P .. 'slot:' .. lease[i], id) end
  call('DEL', key)
  call('SREM', P .. 'leases:' .. lease[1], id)
end
local function leavePools(owner)
  for _, name in ipairs(call('SMEMBERS', P .. 'pools:' .. owner)) do
    local key = P .. 'pool:' .. name
    local pool = cjson.decode(call('GET', key) or '{"h":{},"w":[]}')
    pool.h[owner] = nil
    for at = #pool.w, 1, -1 do if pool.w[at][1] == owner then table.remove(pool.w, at) end end
    if next(pool.h) == nil and #pool.w == 0 then call('DEL', key) else call('SET', key, cjson.encode(pool)) end
  end
  call('DEL', P .. 'pools:' .. owner)
end
local function ownersOf(node)
  local found, prefix = {node}, node .. '-w'
  for _, owner in ipairs(call('SMEMBERS', P .. 'owners')) do
    if string.sub(owner, 1, #prefix) == prefix then found[#found + 1] = owner end
  end
  return found
end
local function resolve(id, cost)
  local key = P .. 'u:' .. id
  local left = call('LRANGE', key, 0, -1)
  if #left == 0 then return 0 end
  call('DEL', key)
  local known = 0
  for i = 1, #left, 3 do known = math.max(known, num(left[i + 1])) end
  for i = 1, #left, 3 do
    if left[i + 2] ~= '0' then
      add(left[i], 'u', '-' .. left[i + 2])
      add(left[i], 's', text(math.max(0, cost - known)))
    end
  end
  return 1
end
`

/** Arguments: hold, owner, `new` or `grow`, then for each part: counter, amount, limit, time to live. */
export const reserveStep = `
local function reserve(A)
  local id, owner = A[1], A[2]
  local key = P .. 'h:' .. id
  local isOpen = call('EXISTS', key) == 1
  if A[3] == 'new' and isOpen then return {1} end
  if A[3] == 'grow' and not isOpen then return {0} end
  local blockers = {0}
  for i = 4, #A, 4 do
    local s, h, l, u = cell(A[i])
    if s + h + l + u + num(A[i + 1]) > num(A[i + 2]) then
      local at = #blockers
      blockers[at + 1] = (i - 4) / 4
      blockers[at + 2], blockers[at + 3], blockers[at + 4], blockers[at + 5] = s, h, u, l
    end
  end
  if #blockers > 1 then return blockers end
  local hold = {}
  for i = 4, #A, 4 do
    add(A[i], 'h', A[i + 1], A[i + 3])
    hold[#hold + 1], hold[#hold + 2] = A[i], A[i + 1]
  end
  if isOpen then
    call('RPUSH', key, unpack(hold))
  else
    call('RPUSH', key, owner, unpack(hold))
    own('owned', owner, id)
  end
  return {1}
end
`

/** ARGV: counters. Returns spent, held and uncertain for each. */
export const readScript = scriptOf(
  'read',
  `${prelude}
local readings = {}
for i = 1, #ARGV do
  local s, h, l, u = cell(ARGV[i])
  local at = #readings
  readings[at + 1], readings[at + 2], readings[at + 3] = s, h, u
end
return readings`,
)

/** ARGV: process, generation, hold, cost. */
export const resolveScript = scriptOf(
  'resolve',
  `${prelude}
return fence() or resolve(ARGV[3], num(ARGV[4]))`,
)

/** ARGV: counter. Returns the holds with a part on it: id, then the list of each. */
export const holdsScript = scriptOf(
  'holds',
  `${prelude}
local found = {}
local counter, ending = ARGV[1], ARGV[2]
local function isOn(name)
  if not ending then return name == counter end
  return string.sub(name, 1, #counter) == counter and string.sub(name, -#ending) == ending
end
for _, owner in ipairs(call('SMEMBERS', P .. 'owners')) do
  for _, id in ipairs(call('SMEMBERS', P .. 'owned:' .. owner)) do
    local hold = merged(call('LRANGE', P .. 'h:' .. id, 0, -1))
    for i = 2, #hold, 2 do
      if isOn(hold[i]) then
        table.insert(hold, 1, id)
        found[#found + 1] = hold
        break
      end
    end
  end
end
return found`,
)

/**
 * Abandons an owner. ARGV: process, generation, owner, and `node` if it must be a node that was not yet swept: then its
 * workers are abandoned too. Returns the holds, like `holds`; nothing if it was already swept.
 */
export const abandonScript = scriptOf(
  'abandon',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
local owner = ARGV[3]
if ARGV[4] == 'node' and call('ZREM', P .. 'nodes', owner) == 0 then return false end
call('ZREM', P .. 'nodes', owner)
local gone = {}
local function abandon(owner)
  for _, id in ipairs(call('SMEMBERS', P .. 'owned:' .. owner)) do
    local hold = free(id)
    if hold then
      for i = 2, #hold, 2 do
        add(hold[i], 'u', hold[i + 1])
        leave(id, hold[i], '0', hold[i + 1])
      end
      table.insert(hold, 1, id)
      gone[#gone + 1] = hold
    end
  end
  for _, id in ipairs(call('SMEMBERS', P .. 'leases:' .. owner)) do release(id) end
  leavePools(owner)
  local slices = call('HGETALL', P .. 'slices:' .. owner)
  for i = 1, #slices, 2 do add(slices[i], 'l', '-' .. slices[i + 1]) end
  call('DEL', P .. 'owned:' .. owner, P .. 'leases:' .. owner, P .. 'slices:' .. owner)
  call('SREM', P .. 'owners', owner)
end
for _, each in ipairs(ARGV[4] == 'node' and ownersOf(owner) or {owner}) do abandon(each) end
return gone`,
)
