-- What runs inside the server. Registered as functions where the server has them, and run as a script elsewhere: see library.rs.
-- Every value stays as it came: numbers are taken apart by struct, and texts are never compared by order, since Lua compares
-- them by the server's locale.
-- What the server offers is named within each function, since it is not there yet while a library is being loaded.

-- Names one uninterrupted history of the data of this server: it changes when the server begins anew, when another server takes its
-- place, when slots move, and when everything was deleted. Marks are worth nothing under another epoch.
local function epoch(marks, slots)
  local call = redis.call
  local history = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
  if not history then error({err = 'ERR headway: INFO replication has no master_replid'}) end
  local begins = history .. ' ' .. slots .. ' '
  local there = call('HGET', marks, 'epoch')
  if there and string.sub(there, 1, #begins) == begins then return there end
  local time = call('TIME')
  there = begins .. time[1] .. '.' .. time[2]
  call('HSET', marks, 'epoch', there)
  return there
end

-- The key lives until its field that lives longest; whole seconds, since that is what each value carries.
local function keep(key, until_at, now)
  local call = redis.call
  local left = call('PTTL', key)
  if left < 0 or left < (until_at - now) * 1000 then call('EXPIREAT', key, until_at) end
end

-- arguments: marks, slots, share, block of vectors, names of fields. Returns how many were refused, whether marked, the epoch.
local function write(arguments)
  local call, take = redis.call, struct.unpack
  local token = epoch(arguments[1], arguments[2])
  local marked = call('HGET', arguments[1], arguments[3]) == token
  local block, at, refused, now = arguments[4], 1, 0, nil
  local bytes = #block
  while at <= bytes do
    local field, new1, new2, new3, new4, until_at, key, value
    field, new1, new2, new3, new4, until_at, key, value, at = take('<I2I4I4I4i4I4I4c0I4c0', block, at)
    field = arguments[field]
    local old = call('HGET', key, field)
    local older, lives = false, 0
    if old then
      -- Position and as_of in the header of the packed vector, each as two halves, the lower one first.
      local old1, old2, old3, old4 = take('<I4I4I4i4', old, 13)
      older = new2 < old2 or new2 == old2 and (new1 < old1 or new1 == old1 and (new4 < old4 or new4 == old4 and new3 < old3))
      lives = take('<I4', old, #old - 3)
    end
    if older then
      refused = refused + 1
    else
      call('HSET', key, field, value)
      if not old or lives < until_at then
        now = now or tonumber(call('TIME')[1])
        keep(key, until_at, now)
      end
    end
  end
  return {refused, marked and 1 or 0, token}
end

-- arguments: marks, slots, share, the epoch under which everything was written or nothing. Returns whether it was marked.
local function mark(arguments)
  local call = redis.call
  local token = epoch(arguments[1], arguments[2])
  if arguments[4] ~= '' and arguments[4] ~= token then return 0 end
  call('HSET', arguments[1], arguments[3], token)
  return 1
end

-- arguments: cursor, pattern, how many keys to look at, field. Returns where to go on; 0 when all were looked at.
local function forget(arguments)
  local call = redis.call
  local page = call('SCAN', arguments[1], 'MATCH', arguments[2], 'COUNT', arguments[3])
  for _, key in ipairs(page[2]) do call('HDEL', key, arguments[4]) end
  return page[1]
end
