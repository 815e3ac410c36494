--- The state of the dashboard and its responses. One worker at a time requests the list; pages read shared memory.
--
-- In the store: `meta` (version, when it was checked, counts), `rows:VERSION:i` (the list in pieces, worst first),
-- `change:VERSION` (what differs from the version before), `health` (counts for /metrics), `problem` (why the last
-- refresh failed), `explain:ID`.

local array = require("ampersand").array
local cache = require "ampersand.cache"
local json = require "ampersand.json"
local page = require "page"
local time = require "ampersand.time"

local dashboard = {}
dashboard.__index = dashboard

-- No other field of an installation is kept: no credential can reach a page.
local FIELDS = {
  "id", "integrationId", "healthStatus", "lastOperationStatus", "updateTime", "group.groupRef", "group.groupName",
  "connection.provider", "connection.status",
}
local PIECE = 500           -- rows that are encoded, stored or decoded in one turn of the event loop
local LOCKED = 90           -- seconds a refresh may take
local EVENTS_FOR = 600      -- seconds until a reader has to reconnect
local PAGE = 50             -- rows of a page without JavaScript

-- Lets the worker serve other requests.
local function yield()
  ngx.sleep(0.001)
end

-- A text of an answer. Bytes that JSON has no place for are replaced: one customer's name must not hide the others.
local function text(value)
  if type(value) ~= "string" then return "" end
  if value:find "[%z\128-\255]" and not json.encode(value) then return (value:gsub("[^\32-\126]", "?")) end
  return value
end

-- A time in UTC, whatever its offset; a text that is not a time is kept.
local function utc(value)
  local seconds, nanoseconds = time.parse(text(value))
  return seconds and time.format(seconds, nanoseconds) or text(value)
end

local function member(value, key)
  return type(value) == "table" and value[key] or nil
end

-- healthStatus decides; a refused login is shown also before an operation has failed because of it.
local function state_of(health, connection)
  if health == "unhealthy" then return "unhealthy" end
  if connection == "bad_credentials" then return "refused" end
  if health ~= "healthy" then return "unknown" end
  return connection == "created" and "unverified" or "healthy"
end

-- The order of a row's texts is known to page.lua (page.COLUMNS) and dashboard.js.
local function row_of(installation)
  local group, connection = installation.group, installation.connection
  local health, status = text(installation.healthStatus), text(member(connection, "status"))
  return {
    text(installation.id), text(member(group, "groupName")), text(member(group, "groupRef")),
    text(member(connection, "provider")), state_of(health, status), status, text(installation.lastOperationStatus),
    utc(installation.updateTime), text(installation.integrationId),
  }
end

-- Seconds between two refreshes. What is not a time is refused: nginx would not start its timer, or never ask again.
local function interval()
  local given = os.getenv "DASHBOARD_REFRESH" or ""
  local seconds = given == "" and 15 or tonumber(given)
  if seconds and seconds > 0 and seconds < math.huge then return seconds end
  error(("DASHBOARD_REFRESH must be a positive number of seconds, got %q"):format(given), 0)
end

--- The dashboard of a client: its integration's installations, or all of the project's.
---@param client ampersand.Client
function dashboard.new(client)
  local view = client.installations
  local integration = os.getenv "AMPERSAND_INTEGRATION_ID"
  if not integration or integration == "" then view = view:in_project() end
  return setmetatable({
    client = client, view = view:select(FIELDS), store = cache.shared "dashboard",
    every = interval(),
    project = os.getenv "AMPERSAND_PROJECT_ID" or "", decoded = {},
  }, dashboard)
end

local function load(self, key)
  local found = self.store:get(key)
  return found and json.decode(found)
end

local function save(self, key, value, ttl)
  local ok, encoded, why = nil, json.encode(value)
  if encoded then ok, why = self.store:set(key, encoded, ttl) end
  if not ok then error(("the shared memory `dashboard` cannot store %s: %s"):format(key, tostring(why)), 0) end
end

-- --- the list ----------------------------------------------------------------------------------------------------

local function keep_decoded(self, version, rows)
  local by_id = {}
  for _, row in ipairs(rows) do by_id[row[1]] = row end
  self.decoded = { version = version, rows = rows, by_id = by_id }
  return self.decoded
end

-- The list of a version, decoded once per worker; nil when it was replaced meanwhile.
local function list_of(self, meta)
  if not meta then return { rows = {}, by_id = {} } end
  if self.decoded.version == meta.version then return self.decoded end
  local rows = {}
  for i = 1, meta.pieces do
    local piece = load(self, ("rows:%s:%d"):format(meta.version, i))
    if not piece then return nil end
    for _, row in ipairs(piece) do rows[#rows + 1] = row end
    yield()
  end
  return keep_decoded(self, meta.version, rows)
end

-- The current list; one that is replaced while it is read is read again.
local function current(self)
  for _ = 1, 3 do
    local meta = load(self, "meta")
    local list = list_of(self, meta)
    if list then return meta, list end
  end
  return nil, { rows = {}, by_id = {} }
end

-- --- refreshing --------------------------------------------------------------------------------------------------

-- Counts an installation for /metrics, by integration, provider, health and connection status.
local function count_health(counts, installation)
  local labels = {
    integration = text(installation.integrationId), provider = text(member(installation.connection, "provider")),
    health = text(installation.healthStatus), connection_status = text(member(installation.connection, "status")),
  }
  if labels.health == "" then labels.health = "unknown" end
  local key = json.encode(labels, { sort_keys = true })
  counts[key] = counts[key] or { labels = labels, value = 0 }
  counts[key].value = counts[key].value + 1
end

local function fetch(self)
  local stream, err = self.view:stream()
  if not stream then return nil, err end
  local rows, counts = {}, {}
  while true do
    local installation
    installation, err = stream:next()
    if err then return nil, err end
    if not installation then return page.sort(rows, "state", false, yield), counts end
    rows[#rows + 1] = row_of(installation)
    count_health(counts, installation)
  end
end

local function equal(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- The difference between two lists, for readers that have the first.
local function compare(before, rows)
  local change, seen = { rows = array(), removed = array() }, {}
  for _, row in ipairs(rows) do
    local old = before.by_id[row[1]]
    seen[row[1]] = true
    if not old or not equal(old, row) then
      change.rows[#change.rows + 1] = row
    end
  end
  for id in pairs(before.by_id) do
    if not seen[id] then change.removed[#change.removed + 1] = id end
  end
  return change
end

local function counts_of(rows)
  local totals, providers, by_name = {}, array(), {}
  for _, row in ipairs(rows) do
    local name, state = row[4], row[5]
    local provider = by_name[name]
    if not provider then
      provider = { name = name, total = 0, states = {} }
      by_name[name], providers[#providers + 1] = provider, provider
    end
    provider.total = provider.total + 1
    provider.states[state] = (provider.states[state] or 0) + 1
    totals[state] = (totals[state] or 0) + 1
  end
  return totals, providers
end

local function store_rows(self, version, rows)
  local pieces = 0
  for first = 1, #rows, PIECE do
    local piece = array()
    for i = first, math.min(first + PIECE - 1, #rows) do piece[#piece + 1] = rows[i] end
    pieces = pieces + 1
    save(self, ("rows:%s:%d"):format(version, pieces), piece)
    yield()
  end
  return pieces
end

-- Readers may still read the previous version; the one before it is deleted.
local function delete_old(self, meta)
  for i = 1, meta and meta.previous_pieces or 0 do
    self.store:delete(("rows:%s:%d"):format(meta.previous, i))
  end
end

local function publish(self, meta, rows, change)
  local version = ("%.0f"):format(ngx.now() * 1000)
  local totals, providers = counts_of(rows)
  delete_old(self, meta)
  change.from = meta and meta.version
  if change.from and #change.rows + #change.removed <= PIECE then save(self, "change:" .. version, change, 120) end
  local pieces = store_rows(self, version, rows)
  save(self, "meta", {
    version = version, checked = ngx.now(), count = #rows, pieces = pieces, totals = totals, providers = providers,
    previous = meta and meta.version, previous_pieces = meta and meta.pieces,
  })
  keep_decoded(self, version, rows)
end

local function note_problem(self, why)
  local problem = load(self, "problem")
  save(self, "problem", { message = text(tostring(why)), since = problem and problem.since or ngx.now() })
end

local function refresh(self)
  local rows, counts = fetch(self)
  if not rows then return note_problem(self, counts) end
  local samples = array()
  for _, sample in pairs(counts) do samples[#samples + 1] = sample end
  save(self, "health", samples)
  local meta, list = current(self)
  local change = compare(list, rows)
  if meta and #change.rows == 0 and #change.removed == 0 then
    meta.checked = ngx.now()
    save(self, "meta", meta)
  else
    publish(self, meta, rows, change)
  end
  self.store:delete "problem"
end

-- Each worker checks whether a refresh is due; the lock admits one.
local function tick(premature, self)
  if premature or self.store:get "fresh" then return end
  local token = self.store:lock("refresh", LOCKED)
  if not token then return end
  if not self.store:get "fresh" then
    local ok, why = pcall(refresh, self)
    if not ok then
      ngx.log(ngx.ERR, "dashboard: ", tostring(why))
      pcall(note_problem, self, why) -- the page shows it, unless the store is full
    end
    self.store:set("fresh", "1", self.every)
  end
  self.store:unlock("refresh", token)
end

--- Starts the refreshes; call it in init_worker.
function dashboard:start()
  assert(ngx.timer.at(0, tick, self))
  assert(ngx.timer.every(math.min(1, self.every), tick, self))
end

-- --- responses -------------------------------------------------------------------------------------------------------

local function age_of(meta)
  return meta and math.max(0, ngx.now() - meta.checked)
end

-- The first bytes of a text, without a part of a UTF-8 character at the end.
local function cut(value, most)
  if #value <= most then return value end
  while most > 0 and value:byte(most + 1) >= 0x80 and value:byte(most + 1) < 0xC0 do most = most - 1 end
  return value:sub(1, most)
end

local function argument(arguments, name)
  local value = arguments[name]
  return type(value) == "string" and cut(value, 200) or ""
end

--- The page: complete without JavaScript, also filtered and sorted.
function dashboard:page()
  local arguments = ngx.req.get_uri_args(20)
  local part = arguments.part == "overview"
  local meta, list
  if part then meta = load(self, "meta") else meta, list = current(self) end
  local model = {
    meta = meta, age = age_of(meta), problem = load(self, "problem"), project = self.project, size = PAGE,
    page = argument(arguments, "page"), view = {},
  }
  for _, name in ipairs(page.PARAMETERS) do model.view[name] = argument(arguments, name) end
  ngx.header.content_type = "text/html; charset=utf-8"
  if part then return ngx.print(page.overview(model)) end
  model.rows = page.select(list.rows, model.view, yield)
  ngx.print(page.whole(model))
end

--- The whole list for the script: { version, age, rows }, piece by piece.
function dashboard:rows()
  local meta = load(self, "meta")
  ngx.header.content_type = "application/json"
  if not meta then return ngx.print '{"version":"","rows":[]}' end
  ngx.print(('{"version":"%s","rows":['):format(meta.version))
  local comma = ""
  for i = 1, meta.pieces do
    local piece = self.store:get(("rows:%s:%d"):format(meta.version, i))
    if not piece then return ngx.exit(ngx.ERROR) end -- replaced meanwhile: the script requests it again
    ngx.print(comma, piece:sub(2, -2))
    comma = ","
  end
  ngx.print "]}"
end

local function event(self, meta, problem, seen)
  local change = meta and meta.version ~= seen and load(self, "change:" .. meta.version)
  return json.encode {
    version = meta and meta.version or "", age = age_of(meta), problem = problem ~= nil,
    change = change and change.from == seen and change or nil,
  }
end

--- Server-sent events: one after each refresh (it has the age of the list) and after each change, and comments that
-- keep the connection open.
function dashboard:events()
  local seen, sent = ngx.var.arg_version, nil
  local till, keepalive = ngx.now() + EVENTS_FOR, 0
  ngx.header.content_type = "text/event-stream"
  ngx.print "retry: 2000\n\n"
  while ngx.now() < till and not ngx.worker.exiting() do
    local meta, problem = load(self, "meta"), load(self, "problem")
    local state = ("%s %s %s"):format(meta and meta.version, meta and meta.checked, problem and problem.message)
    if state ~= sent then
      ngx.print("data: ", event(self, meta, problem, seen), "\n\n")
      sent, seen = state, meta and meta.version or seen
      keepalive = ngx.now() + 15
    elseif ngx.now() > keepalive then
      ngx.print ": keepalive\n\n"
      keepalive = ngx.now() + 15
    end
    if not ngx.flush(true) then return end
    ngx.sleep(0.5)
  end
end

--- For Prometheus: the requests sent to the API, the installations by health, and whether what is shown is current.
function dashboard:metrics(metrics)
  local meta = load(self, "meta")
  metrics:serve {
    { name = "ampersand_installations", type = "gauge", samples = load(self, "health") or {},
      help = "Installations by integration, provider, health and status of the connection." },
    { name = "ampersand_last_refresh_timestamp_seconds", type = "gauge",
      samples = { meta and { value = meta.checked } }, help = "When the installations were last read." },
    { name = "ampersand_refresh_failing", type = "gauge", samples = { { value = self.store:get "problem" and 1 or 0 } },
      help = "1 while the last attempt to read the installations failed." },
  }
end

-- The cause and the next step of one installation, as plain data. Only http and https links are kept.
local function fetch_explanation(self, row)
  local client = row[9] ~= "" and self.client:with { integration = row[9] } or self.client
  local found, err = client.installations:explain(row[1])
  if not found then return { failed = text(tostring(err)) } end
  local operation, url = found.operation or {}, found.reconnect_url
  return {
    code = found.code, cause = found.cause, next_step = found.next_step, remedy = found.remedy,
    url = url and url:match "^https?://%S+$", operation = text(operation.id), action = text(operation.actionType),
    failed_at = utc(operation.createTime),
  }
end

-- One request at a time for one installation; concurrent readers wait for its result.
local function explanation(self, row)
  local key, till = "explain:" .. row[1], ngx.now() + 30
  while ngx.now() < till do
    local known = load(self, key)
    if known then return known end
    local token = self.store:lock(key, 60)
    if token then
      local ok, found = pcall(fetch_explanation, self, row)
      if not ok or not json.encode(found) then found = { failed = "the explanation could not be made" } end
      local saved, why = pcall(save, self, key, found, found.failed and 3 or 30)
      self.store:unlock(key, token)
      if not saved then ngx.log(ngx.ERR, "dashboard: ", tostring(why)) end
      return found
    end
    ngx.sleep(0.1)
  end
  return { failed = "another request for it has not ended within 30 seconds" }
end

--- Explains one installation: a page of its own, from which the script takes the article.
function dashboard:explain()
  local _, list = current(self)
  local row = list.by_id[argument(ngx.req.get_uri_args(5), "id")]
  ngx.header.content_type = "text/html; charset=utf-8"
  if not row then ngx.status = 404 end
  ngx.print(page.explanation(row, row and explanation(self, row), self.project))
end

return dashboard
