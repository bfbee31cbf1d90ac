-- Removes callers that have been dead for a day: their heartbeats and sequence numbers.
-- KEYS: seqs, beats, producers, gone  ARGV: 1 youngest age to reap in microseconds, then the callers
-- Keeps a caller with a recent time in one of the three hashes, and one that is in none of them: its heartbeat
-- may have been evicted while it runs. Returns the number of reaped callers.
local time = redis.call("TIME")
local oldest = tonumber(time[1]) * 1000000 + tonumber(time[2]) - tonumber(ARGV[1])
local reaped = 0
for i = 2, #ARGV do
  local caller, last = ARGV[i], nil
  for k = 2, 4 do
    local value = redis.call("HGET", KEYS[k], caller)
    if value then
      last = math.max(last or 0, tonumber(string.match(value, "^%d+") or "0"))
    end
  end
  if last and last < oldest then
    for k = 1, 4 do
      redis.call("HDEL", KEYS[k], caller)
    end
    reaped = reaped + 1
  end
end
return reaped
