-- Watches a fleet and pages somebody when a customer's credentials go bad: what happened, why, and the link by which
-- the customer logs in again. Killed and started again, it pages for what happened meanwhile, and for nothing twice
-- but the one change it may have been killed at.
--
--     lua5.4 examples/fleet/pager.lua pager.state 60          poll every 60 seconds
--     lua5.4 examples/fleet/pager.lua pager.state 60 1        poll once, as cron does
--
-- A pager that could not poll knows nothing: it exits with 1, with 4 where the key is refused, with 5 after a timeout.

local ampersand = require "ampersand"

local file_name, interval, polls = arg[1], tonumber(arg[2] or 60), tonumber(arg[3])
if not file_name then
  io.stderr:write("usage: pager.lua STATE [SECONDS [POLLS]]\n")
  os.exit(2)
end

local function load_state()
  local file = io.open(file_name)
  if not file then return nil end
  local state = ampersand.assert(ampersand.json.decode(file:read "*a"))
  file:close()
  return state
end

-- Written to a temporary file and renamed, so that the file is complete at every moment.
local function save_state(state)
  local file = assert(io.open(file_name .. ".new", "w"))
  assert(file:write(assert(ampersand.json.encode(state))))
  assert(file:close())
  assert(os.rename(file_name .. ".new", file_name))
end

local client = ampersand.new()

-- Here a message would go to a pager; this one goes to the terminal.
local function page(change)
  local group = ampersand.get(change.installation, "group.groupName") or "a customer"
  print(("PAGE %s (%s): credentials went bad"):format(group, change.id))
  local explanation, err = client.installations:explain(change.id)
  print(tostring(explanation or err))
end

local watch
watch = client.installations:watch {
  interval = interval, polls = polls, state = load_state(),
  on_error = function(err) io.stderr:write("waiting: ", tostring(err), "\n") end,
  on_poll = function(poll)
    print(("%d installations, %d changes"):format(poll.listed, poll.changes))
    save_state(watch:state())
  end,
}

local function exit_code(err)
  if err.kind == "timeout" then return 5 end
  return (err.status == 401 or err.status == 403) and 4 or 1
end

io.stdout:setvbuf "line"
while true do
  local change, err = watch:next()
  if err then
    io.stderr:write(tostring(err), "\n")
    os.exit(exit_code(err))
  end
  if not change then break end
  if change.type == "bad_credentials" then page(change) end
  save_state(watch:state())
end
client:close()
