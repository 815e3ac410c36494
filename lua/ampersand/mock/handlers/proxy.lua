-- The proxy: the headers it requires, and a provider behind it that answers with the request it received.

local http = require "ampersand.mock.http"
local problem = require "ampersand.mock.problem"
local query_string = require "ampersand.util.query_string"
local redact = require "ampersand.util.redact"

local proxy = {}

--- Whether a request is for the proxy: it has the proxy's header, or the path prefix of the proxy's server.
function proxy.is_meant(request)
  return request.headers["x-amp-proxy-version"] ~= nil or request.path:find "^/proxy/" ~= nil
end

local function need(headers, name)
  return headers[name] or problem.invalid("header", name, "is required")
end

-- The installation named by the headers: by id, or by the integration's name and a group.
local function installation_of(store, headers)
  local project = need(headers, "x-amp-project-id")
  if not store:find("projects", "id", project) then
    problem.invalid("header", "x-amp-project-id", "must be the id of a project, not its name")
  end
  if headers["x-amp-installation-id"] then
    local installation = store:installation_by_id(headers["x-amp-installation-id"])
    return installation or problem.refuse(404, "installation not found")
  end
  local params = { projectIdOrName = project, integrationId = need(headers, "x-amp-integration-name") }
  return (store:installation_of_group(params, need(headers, "x-amp-group-ref"), 404))
end

-- Any number of bytes, for `/bytes/N`.
local function bytes(count)
  return function()
    if count <= 0 then return nil end
    local piece = ("x"):rep(math.min(count, 16384))
    count = count - #piece
    return piece
  end
end

--- Answers for the provider: the request as JSON; `/bytes/N` answers N bytes, `/status/N` that status, `/echo` the
--- unchanged body.
---@return table response
function proxy.answer(store, request)
  if need(request.headers, "x-amp-proxy-version") ~= "1" then
    problem.invalid("header", "x-amp-proxy-version", "must be 1")
  end
  local installation = installation_of(store, request.headers)
  local path = request.path:gsub("^/proxy/", "/"):gsub("^/v1/", "/")
  local count, status = tonumber(path:match "^/bytes/(%d+)$"), tonumber(path:match "^/status/(%d%d%d)$")
  if count then
    return { status = 200, headers = { ["Content-Type"] = "application/octet-stream" }, body = bytes(count) }
  end
  if path == "/echo" then
    return { status = 200, headers = { ["Content-Type"] = request.headers["content-type"] }, body = request.body }
  end
  local headers = {}
  for name, value in pairs(http.loggable(request.headers, redact.is_secret_header)) do
    if value ~= redact.HIDDEN and not name:find "^x%-amp%-" then headers[name] = value end
  end
  return http.json(status or 200, {
    method = request.method, path = http.printable(query_string.unescape(path)),
    query = http.loggable(request.query, redact.is_secret_parameter),
    headers = headers, body = http.printable(request.body),
    provider = installation.connection.provider, installationId = installation.id,
  })
end

--- The headers that the proxy adds to a 429.
function proxy.limit(response, seconds)
  response.headers["X-Amp-Retry-After"] = os.date("!%a, %d %b %Y %H:%M:%S UTC", os.time() + math.ceil(seconds))
  response.headers["X-Amp-Retryable"] = "true"
end

return proxy
