"""The scripts Redis runs for the counter: each is one round trip, whole or not at all.

Three hashes with the same fields (see batches.Batch): what was counted since the last flush (pending), what is on its
way into the tables (batch), what the tables say (totals). Together they are the number to show, at every moment.
Visitors can't be added up: u:DAY in the totals is how many the tables know of, and the larger number is shown, so that
a Redis that has lost its memory doesn't begin at none.
"""

_SHOWN = """
local function shown(field)
  local total = redis.call('HGET', totals, field)
  return total and total + (redis.call('HGET', batch, field) or 0) + (redis.call('HGET', pending, field) or 0)
end
"""

# KEYS: pending, batch, totals, visitors and referrers of the day, source.
# ARGV: number (0: count nothing), day, visitor (blank: a robot), post or blank, referrer or blank, referrers a day,
# the name of those beyond.
# A source numbers what it sends; a number that was seen is not counted again, so that sending twice does no harm.
COUNT = (
    """
local pending, batch, totals, visitors, referrers, source = unpack(KEYS)
local number, day, visitor, post, referrer, most, other = unpack(ARGV)
local function add(field) redis.call('HINCRBY', pending, field, 1) end
if tonumber(number) > tonumber(redis.call('GET', source) or 0) then
  redis.call('SET', source, number, 'EX', 86400)
  if visitor == '' then
    add('b:' .. day)
  else
    add('d:' .. day)
    redis.call('PFADD', visitors, visitor)
    redis.call('EXPIRE', visitors, 259200)
    if post ~= '' then
      add('p:' .. day .. ':' .. post)
      add('t:' .. post)
    end
    if referrer ~= '' then
      -- Nobody can invent an engine, so those are bounded as they are.
      if string.sub(referrer, 1, 7) ~= 'engine:' and redis.call('SISMEMBER', referrers, referrer) == 0 then
        if redis.call('SCARD', referrers) < tonumber(most) then
          redis.call('SADD', referrers, referrer)
          redis.call('EXPIRE', referrers, 259200)
        else
          referrer = other
        end
      end
      add('r:' .. day .. ':' .. referrer)
    end
  end
end
"""
    + _SHOWN
    + """
local known = redis.call('HGET', totals, 'u:' .. day)
local seen = known and math.max(known, redis.call('PFCOUNT', visitors))
return {shown('d:' .. day), seen, post ~= '' and shown('t:' .. post)}
"""
)

# KEYS: pending, batch. ARGV: the id of a new batch. Returns what is to be flushed now: a batch left over, else a new
# one.
TAKE = """
local pending, batch = unpack(KEYS)
if redis.call('EXISTS', batch) == 0 and redis.call('EXISTS', pending) == 1 then
  redis.call('RENAME', pending, batch)
  redis.call('HSET', batch, 'id', ARGV[1])
end
return redis.call('HGETALL', batch)
"""

# KEYS: batch, totals. ARGV: the id of the batch that is in the tables, then fields and what the tables say of them now.
# Somebody else's batch is left alone.
FINISH = """
local batch, totals = unpack(KEYS)
if redis.call('HGET', batch, 'id') ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', totals, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', totals, 86400)
return redis.call('DEL', batch)
"""
