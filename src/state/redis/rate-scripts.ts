import { scriptOf } from './connection.ts'
import { prelude } from './money-scripts.ts'

/**
 * Rates: `rate:KEY` is when the bucket is full again, by the server's clock, in milliseconds since our own epoch:
 * smaller numbers have finer fractions. Slots: `slot:KEY` has the leases that have a place in it; `lease:ID` is a list,
 * its owner and its slots; `leases:OWNER` has an owner's leases.
 */
export const ratePrelude = `${prelude}
local time = call('TIME')
local now = (num(time[1]) - 1760000000) * 1000 + num(time[2]) / 1000
local function fullAt(key) return tonumber(call('GET', P .. 'rate:' .. key) or now) end
local function keep(key, at)
  if at <= now then call('DEL', P .. 'rate:' .. key)
  else call('SET', P .. 'rate:' .. key, string.format('%.17g', at), 'PX', math.ceil(at - now) + 1000) end
end
local function reading(at, perMinute, burst, amount)
  local each = 60000 / perMinute
  local debt = math.max(0, at - now)
  local room = burst * each - debt
  local missing = amount * each - room
  local wait = missing <= 1e-4 and 0 or missing
  if amount > burst then wait = -1 end
  return math.max(0, math.floor(room / each + 1e-6)), string.format('%.17g', debt), string.format('%.17g', wait)
end
local function refund(key, perMinute, burst, amount)
  local each = 60000 / perMinute
  local moved = math.max(fullAt(key), now) - amount * each
  keep(key, math.min(math.max(moved, now), now + 2 * burst * each))
end
local function takePlaces(id, owner, slots)
  local key = P .. 'lease:' .. id
  if #slots == 0 or call('EXISTS', key) == 1 then return end
  call('RPUSH', key, owner, unpack(slots))
  for _, slot in ipairs(slots) do call('SADD', P .. 'slot:' .. slot, id) end
  own('leases', owner, id)
end
`

/**
 * Arguments: lease, owner, number of rates, for each: key, per minute, burst, amount; then for each slot: key, limit.
 * Returns whether it is admitted, three readings of each rate, and two of each slot.
 */
export const admitStep = `
local function admit(A)
  local slotsAt = 4 + 4 * num(A[3])
  local reply, rates, slots, isAdmitted = {1}, {}, {}, true
  for i = 4, slotsAt - 1, 4 do
    local rate = { A[i], num(A[i + 1]), num(A[i + 2]), num(A[i + 3]), math.max(fullAt(A[i]), now) }
    rates[#rates + 1] = rate
    local remaining, reset, wait = reading(rate[5], rate[2], rate[3], rate[4])
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3] = remaining, reset, wait
    if wait ~= '0' then isAdmitted = false end
  end
  for i = slotsAt, #A, 2 do
    slots[#slots + 1] = A[i]
    local used = call('SCARD', P .. 'slot:' .. A[i])
    local isFull = used >= num(A[i + 1])
    local at = #reply
    reply[at + 1], reply[at + 2] = used, isFull and 1 or 0
    if isFull then isAdmitted = false end
  end
  if not isAdmitted then
    reply[1] = 0
    return reply
  end
  for i, rate in ipairs(rates) do
    local at = rate[5] + rate[4] * 60000 / rate[2]
    keep(rate[1], at)
    local remaining, reset, wait = reading(at, rate[2], rate[3], 0)
    reply[3 * i - 1], reply[3 * i], reply[3 * i + 1] = remaining, reset, wait
  end
  for i = 1, #slots do reply[3 * #rates + 2 * i] = reply[3 * #rates + 2 * i] + 1 end
  takePlaces(A[1], A[2], slots)
  return reply
end
`

/** ARGV, for each rate: key, per minute, burst. Returns three readings of each. */
export const readRatesScript = scriptOf(
  'readRates',
  `${ratePrelude}
local reply = {}
for i = 1, #ARGV, 3 do
  local remaining, reset, wait = reading(fullAt(ARGV[i]), num(ARGV[i + 1]), num(ARGV[i + 2]), 0)
  local at = #reply
  reply[at + 1], reply[at + 2], reply[at + 3] = remaining, reset, wait
end
return reply`,
)
