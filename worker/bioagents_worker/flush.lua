-- One atomic step: the heartbeat and the increments of one caller.
-- The specification is Store.flush in tests/transport/model.py; the tests compare both call by call.
--
-- KEYS: seqs, beats, producers, gone, queues, then one totals hash for each queue with increments
-- ARGV: 1 caller  2 run_id, empty if it is hidden from the caller  3 epoch  4 base_seq  5 new_seq  6 kind (worker|producer|gone)  7 heartbeat
--       then for each totals hash: queue, number of fields, field, increment, field, increment, ...
-- Returns {epoch, stored sequence, callers that live, Redis time in microseconds}, all integers
local caller, server, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3])
local base, new, kind = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local seqs, beats, producers, gone, known = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- Exact up to 2^53, and three times as fast as "%.0f".
local function text(number)
  return string.format("%d", number)
end

local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local head = redis.call("HMGET", seqs, "__epoch", "__server", caller, "__silent", "__swept")
local current, stored = tonumber(head[1] or "0") or 0, tonumber(head[3] or "0") or 0

-- Where the part of each queue begins in ARGV, and whether a marked totals hash is missing.
local parts, lost = {}, false
local at = 8
for k = 6, #KEYS do
  local queue, fields = ARGV[at], tonumber(ARGV[at + 1])
  local its_epoch = redis.pcall("HGET", KEYS[k], "__epoch")
  if type(its_epoch) ~= "string" then -- missing, or overwritten by something that is not a hash
    its_epoch = nil
  end
  if not its_epoch and redis.call("HGET", seqs, "q:" .. queue) then
    lost = true
  end
  parts[#parts + 1] = { KEYS[k], queue, at + 2, fields, tonumber(its_epoch or "-1") }
  at = at + 2 + 2 * fields
end

local rolled_back = epoch == current and stored < base
local its_server = head[2] or ""
local foreign = server ~= "" and its_server ~= "" and server ~= its_server
if foreign or current == 0 or epoch > current or lost or rolled_back then
  current, stored = math.max(now, epoch + 1, current + 1), 0
  redis.call("DEL", seqs)
  redis.call("HSET", seqs, "__epoch", text(current), "__server", server)
elseif server ~= "" and its_server == "" then
  redis.call("HSET", seqs, "__server", server) -- the callers before could not see it
end

if epoch == current and stored == base and base ~= new then
  -- Commands that may fail come before the first increment: a call that fails is repeated as a whole.
  for _, part in ipairs(parts) do
    local totals, queue = part[1], part[2]
    if part[5] ~= current then
      redis.call("SADD", known, queue)
      redis.call("DEL", totals)
      redis.call("HSET", totals, "__epoch", text(current))
      redis.call("HSET", seqs, "q:" .. queue, text(current))
    end
  end
  for _, part in ipairs(parts) do
    local totals, first, fields = part[1], part[3], part[4]
    for i = first, first + 2 * fields - 1, 2 do
      local sum = redis.pcall("HINCRBY", totals, ARGV[i], ARGV[i + 1])
      -- A field that another program overwrote with no number must not stop the script half-way. Any other
      -- error (no permission, no memory) already occurs at the first increment, when nothing was added yet.
      if type(sum) == "table" and not (string.find(sum.err, "integer") or string.find(sum.err, "overflow")) then
        return sum
      end
    end
  end
  redis.call("HSET", seqs, caller, text(new))
  stored = new
end

local stamp = text(now)
if kind == "worker" then
  redis.call("HSET", beats, caller, stamp .. "\n" .. ARGV[7])
elseif kind == "producer" then
  redis.call("HSET", producers, caller, stamp)
else
  redis.call("HDEL", beats, caller)
  redis.call("HDEL", producers, caller)
  redis.call("HSET", gone, caller, stamp)
end

-- Most entries may be of callers that ended without a sign-off: a sweep counts those without recent calls.
local fleet = redis.call("HLEN", beats) + redis.call("HLEN", producers)
if now - (tonumber(head[5] or "0") or 0) < 60000000 then
  fleet = math.max(1, fleet - (tonumber(head[4] or "0") or 0))
end
return { current, stored, fleet, now }
