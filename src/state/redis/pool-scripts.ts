import { scriptOf } from './connection.ts'
import { prelude } from './money-scripts.ts'

/**
 * Pools of places. `pool:NAME` is JSON: the places of each process (`h`), and the waiting processes in round-robin
 * order with their needs (`w`). `pools:OWNER` has the pools that a process uses. ARGV: process, generation, pool,
 * owner, limit, used, returned, needed, wanted. Returns its places, whether others wait, how many are free, and the
 * other processes that got some.
 */
export const allotScript = scriptOf(
  'allot',
  `${prelude}
local fenced = fence()
if fenced then return fenced end
local name, owner, limit = ARGV[3], ARGV[4], num(ARGV[5])
local used, returned, needed, wanted = num(ARGV[6]), num(ARGV[7]), num(ARGV[8]), num(ARGV[9])
local key = P .. 'pool:' .. name
local pool = cjson.decode(call('GET', key) or '{"h":{},"w":[]}')
local function held(who) return pool.h[who] or 0 end
local function hold(who, places)
  if places > 0 then pool.h[who] = places else pool.h[who] = nil end
end
local function turnOf(who)
  for at, turn in ipairs(pool.w) do if turn[1] == who then return at end end
end
hold(owner, math.max(used, held(owner) - returned))
local at = turnOf(owner)
if needed <= held(owner) then
  if at then table.remove(pool.w, at) end
elseif at then pool.w[at][2] = needed
else pool.w[#pool.w + 1] = {owner, needed} end
local free = limit
for _, places in pairs(pool.h) do free = free - places end
local given, names = {}, {}
while free > 0 and #pool.w > 0 do
  local turn = table.remove(pool.w, 1)
  hold(turn[1], held(turn[1]) + 1)
  free = free - 1
  if turn[1] ~= owner and not given[turn[1]] then
    given[turn[1]] = true
    names[#names + 1] = turn[1]
  end
  if held(turn[1]) < turn[2] then pool.w[#pool.w + 1] = turn end
end
if #pool.w == 0 then
  local spare = math.min(wanted - held(owner), math.floor(free / 2))
  if spare > 0 then
    hold(owner, held(owner) + spare)
    free = free - spare
  end
end
local isWaiting = turnOf(owner) ~= nil
if next(pool.h) == nil and #pool.w == 0 then call('DEL', key) else call('SET', key, cjson.encode(pool)) end
if held(owner) > 0 or isWaiting then own('pools', owner, name) else call('SREM', P .. 'pools:' .. owner, name) end
local others = #pool.w - (isWaiting and 1 or 0)
return {held(owner), others > 0 and 1 or 0, math.max(0, free), names}`,
)
