-- What the benchmarks of JSON read: two sets of installations, all different, one in twenty unhealthy; coordinates.
local core = require "ampersand.core"
local mock = require "ampersand.mock"

local texts = {}

--- As the mock server invents them: mostly the shape of the page's example, some with configured objects and fields,
--- with nulls and names in several scripts, members sorted by name.
local function from_mock(i)
  local installation = mock.installation(i)
  installation.healthStatus = i % 20 == 0 and "unhealthy" or "healthy"
  installation.zz = { last = i % 20 } -- a member that comes last
  return assert(core.encode(installation, { sort_keys = true }))
end

-- The members of the example on the API's page "List installations", in its order.
local GROUP = '{"groupRef":"$group","groupName":"$company","projectId":"$project",'
  .. '"createTime":"$t1","updateTime":"$t2"}'
local PAGE = ([=[
{"id":"$id1","projectId":"$project","integrationId":"$integration",
"group":$GROUP,
"healthStatus":"$health",
"connection":{"id":"$id2","projectId":"$project","provider":"$provider",
"providerApp":{"id":"$id3","projectId":"$project","externalRef":"$external","provider":"$provider",
"clientId":"$client","scopes":[["oauth","offline","crm.read"]],"createTime":"$t3","updateTime":"$t3"},
"group":$GROUP,
"consumer":{"consumerRef":"$consumer","consumerName":"$person","projectId":"$project",
"createTime":"$t1","updateTime":"$t2"},
"providerWorkspaceRef":"$workspace","providerConsumerRef":"https://login.example/id/$workspace/$consumer",
"createTime":"$t4","updateTime":"$t5","authScheme":"oauth2/authorizationCode","status":"working",
"oauth2AuthorizationCode":{
"accessToken":{"token":"$access","issuedAt":"$t6","expiresAt":"$t7"},
"refreshToken":{"token":"$refresh","issuedAt":"$t6","expiresAt":"$t8"},"scopes":["api"]},
"apiKey":"$key"},
"createTime":"$t1","createdBy":"consumer:$consumer","updateTime":"$t9",
"config":{"id":"$id4","revisionId":"$revision","createTime":"$t9","createdBy":"builder:$builder",
"content":{"provider":"$provider","read":{"objects":{}},"write":{"objects":{}},"proxy":{"enabled":$enabled}}}}]=])
  :gsub("\n", ""):gsub("%$GROUP", GROUP)

local PROVIDERS = { "salesforce", "hubspot", "zendeskSupport", "intercom", "gong", "outreach" }
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

--- Numbers that look random, the same for the same seed: below 2^31, exact in every Lua.
local function numbers(seed)
  local state = seed * 7919 % 2147483647 + 1
  return function(below)
    state = state * 16807 % 2147483647
    return state % below
  end
end

local function secret(random, length)
  local letters = {}
  for i = 1, length do
    local at = random(64) + 1
    letters[i] = LETTERS:sub(at, at)
  end
  return table.concat(letters)
end

local function uuid(random)
  return ("%04x%04x-%04x-4%03x-8%03x-%06x%06x"):format(random(65536), random(65536), random(65536), random(4096),
    random(4096), random(16777216), random(16777216))
end

local function moment(random)
  return ("202%d-%02d-%02dT%02d:%02d:%02d.%06dZ"):format(3 + random(3), 1 + random(12), 1 + random(28), random(24),
    random(60), random(60), random(1000000))
end

--- Shaped as the example of the page: the same members in the same order, identifiers, times and tokens of the
--- lengths they have in life.
local function from_page(i)
  local random = numbers(i)
  local values = {
    project = "9f2c55d1-8a3e-4b6f-8d1e-2f6a0c7b9e11", integration = "4e1d7a90-53bc-4f08-9a57-c3d2b1e0f6a8",
    health = i % 20 == 0 and "unhealthy" or "healthy", provider = PROVIDERS[random(#PROVIDERS) + 1],
    company = "Customer " .. i .. ", Inc.", person = "Person " .. i, external = "external-" .. i,
    client = secret(random, 40), access = secret(random, 112), refresh = secret(random, 87), key = secret(random, 32),
    workspace = "workspace-" .. random(1000000), revision = uuid(numbers(i % 7)),
    enabled = i % 20 == 10 and "false" or "true",
  }
  for _, name in ipairs { "id1", "id2", "id3", "id4", "group", "consumer", "builder" } do
    values[name] = uuid(random)
  end
  for n = 1, 9 do values["t" .. n] = moment(random) end
  return (PAGE:gsub("%$([%a%d]+)", values))
end

texts.sets = {
  { name = "mock server", installation = from_mock, about = "as the mock server invents them" },
  { name = "page", installation = from_page, about = "shaped as the example of the API's page" },
}

function texts.installations(set, count)
  local list = {}
  for i = 1, count do list[i] = set.installation(i) end
  return "[" .. table.concat(list, ",") .. "]"
end

--- Writes an array of installations to a file.
function texts.write(set, count, path)
  local file = assert(io.open(path, "wb"))
  for i = 1, count do assert(file:write(i == 1 and "[" or ",", set.installation(i))) end
  assert(file:write "]")
  file:close()
end

--- Polygons of coordinates with fifteen decimals, as in a map of Canada.
function texts.coordinates(polygons)
  local list, x, y = {}, -65.613616999999977, 43.420273000000009
  for i = 1, polygons do
    local points = {}
    for j = 1, 100 do
      x, y = x + math.sin(i * j) / 7, y + math.cos(i + j) / 9
      points[j] = ("[%.15f,%.15f]"):format(x, y)
    end
    list[i] = "[" .. table.concat(points, ",") .. "]"
  end
  return '{"type":"MultiPolygon","coordinates":[' .. table.concat(list, ",") .. "]}"
end

return texts
