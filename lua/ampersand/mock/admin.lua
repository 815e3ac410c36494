-- `/__mock/…`: a test inspects and changes the mock server. Only requests from this machine are accepted.
--
--   GET requests                             the requests received; POST {} clears them
--   GET faults                               the faults in force
--   POST faults {status=…}                   adds a fault; {clear=true} removes all
--   GET edits                                how often each installation's config was changed, by id
--   POST settings {key=…}                    changes options
--   POST installations {ids={…}, set={…}}    merges into installations; {ids=…, remove=true} removes; {add=n} adds

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local patch = require "ampersand.mock.patch"
local faults = require "ampersand.mock.faults"
local fixtures = require "ampersand.mock.fixtures"
local http = require "ampersand.mock.http"
local problem = require "ampersand.mock.problem"
local redact = require "ampersand.util.redact"

local admin = {}

--- The paths of admin routes; a client whose base URL ends in /v1 reaches them, too.
admin.ROUTE = "^/v?1?/?__mock/(%l*)$"

-- The log -----------------------------------------------------------------------------------------------------------

local Log = {}
Log.__index = Log

function admin.new_log(size)
  return setmetatable({ size = size, count = 0, by_operation = {}, requests = core.array() }, Log)
end

--- Notes a request and how it was answered.
function Log:note(request, body, status)
  local op = request.op
  local id = op and op.id or request.is_proxy and "proxy" or "unknown"
  local path = op and op.resource == "api_keys" and request.path:gsub("(/api%-keys/).+", "%1{apiKey}") or request.path
  self.count = self.count + 1
  self.by_operation[id] = (self.by_operation[id] or 0) + 1
  table.insert(self.requests, {
    operation = id, method = request.method, path = http.printable(path),
    query = http.loggable(request.query, redact.is_secret_parameter),
    headers = http.loggable(request.headers, redact.is_secret_header),
    body = redact.value(redact.copy(body)), bytes = #request.body, status = status, connection = request.connection,
  })
  if #self.requests > self.size then table.remove(self.requests, 1) end
end

function Log:show()
  return { count = self.count, by_operation = self.by_operation, requests = self.requests }
end

-- Routes ------------------------------------------------------------------------------------------------------------

local routes = {}

function routes.requests(api, body)
  if body then api.log = admin.new_log(api.options.log) end
  return api.log:show()
end

function routes.faults(api, body)
  if body and body.clear then api.faults:clear() end
  if body and not body.clear then
    local fault, why = faults.check(body)
    if not fault then problem.refuse(400, why) end
    api.faults:add(fault)
  end
  return { faults = core.array(deep.copy(api.faults.rules)) }
end

function routes.edits(api)
  return api.store.edits
end

function routes.settings(api, body)
  for name, value in pairs(body or {}) do
    if api.options[name] == nil then problem.refuse(400, ("no option %q"):format(name)) end
    if name == "key" then api.store.api_keys[1].key = value end
    api.options[name] = value
  end
  return { installations = api.options.installations, ["read-seconds"] = api.options["read-seconds"] }
end

local function add_installations(store, count)
  local ids = core.array()
  for i = 1, count do ids[i] = store.fleet:add(function(_, place) return fixtures.installation(place) end).id end
  return ids
end

function routes.installations(api, body)
  local store = api.store
  if not body then return { count = store.fleet.last } end
  if body.add then return { ids = add_installations(store, body.add) } end
  for _, id in ipairs(body.ids or { body.id }) do
    local installation, place = store:installation_by_id(id)
    if not installation then problem.refuse(404, "installation not found: " .. id) end
    store.fleet:put(place, not body.remove and patch.merge(installation, body.set))
  end
  return { ids = body.ids or core.array { body.id } }
end

--- Answers a request to an admin route.
---@return table response
function admin.answer(api, request, body)
  if not request.is_local then problem.refuse(403, "the admin routes accept requests from this machine only") end
  local name = request.path:match(admin.ROUTE)
  local run = routes[name] or problem.refuse(404, "no such admin route")
  return http.json(200, run(api, request.method == "POST" and body or nil))
end

return admin
