-- Comes before the scripts that erase a person. Notes in the ledger of a round what was erased, and
-- when, in unix microseconds: later than the last note of the field, whatever the clocks of the
-- processes say. The ledger outlives the round by the given seconds. Returns the note.
local function note(ledger, round, field, what, at, outlives)
  at = tonumber(at)
  local last = redis.call('HGET', ledger, field)
  if last then at = math.max(at, tonumber(string.match(last, '%d+$')) + 1) end
  local text = what .. string.format(' %.0f', at)
  redis.call('HSET', ledger, field, text)
  redis.call('EXPIREAT', ledger, redis.call('EXPIRETIME', round) + outlives)
  return text
end

