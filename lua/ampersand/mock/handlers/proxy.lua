-- The proxy: what it wants in the head of a request, and a provider behind it that tells what reached it.

local http = require "ampersand.mock.server"
local problem = require "ampersand.mock.problem"

local proxy = {}

--- Whether a request is for the proxy: by its headers, or by the prefix that tells servers apart.
function proxy.is_meant(request)
  return request.headers["x-amp-proxy-version"] ~= nil or request.path:find "^/proxy/" ~= nil
end

local function need(headers, name)
  return headers[name] or problem.invalid("header", name, "is required")
end

-- The installation meant: by id, or by the integration's name and a group.
local function installation_of(store, headers)
  local project = need(headers, "x-amp-project-id")
  if not store:find("projects", "id", project) then
    problem.invalid("header", "x-amp-project-id", "must be the id of a project (a name will not do)")
  end
  if headers["x-amp-installation-id"] then
    local installation = store:installation_by_id(headers["x-amp-installation-id"])
    return installation or problem.refuse(404, "installation not found")
  end
  local params = { projectIdOrName = project, integrationId = need(headers, "x-amp-integration-name") }
  return (store:installation_of_group(params, need(headers, "x-amp-group-ref"), 404))
end

local HIDDEN = { ["x-api-key"] = true, authorization = true, cookie = true }

local function told(values)
  local copy = {}
  for name, value in pairs(values) do
    if not HIDDEN[name] and not name:find "^x%-amp%-" then copy[http.printable(name)] = http.printable(value) end
  end
  return copy
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

--- Answers as the provider would: with what was asked of it; for `/bytes/N` with that much, for `/status/N` with that
--- status, for `/echo` with the body as it came.
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
  return http.json(status or 200, {
    method = request.method, path = http.printable(http.unescape(path)), query = told(request.query),
    headers = told(request.headers), body = http.printable(request.body),
    provider = installation.connection.provider, installationId = installation.id,
  })
end

--- What the proxy adds to a 429: when to come back, and whether to.
function proxy.limit(response, seconds)
  response.headers["X-Amp-Retry-After"] = os.date("!%a, %d %b %Y %H:%M:%S UTC", os.time() + math.ceil(seconds))
  response.headers["X-Amp-Retryable"] = "true"
end

return proxy
