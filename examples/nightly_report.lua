-- Lists customers' unhealthy installations with cause and next step. Made for cron, which mails what is printed: prints
-- nothing and exits with 0 when all are healthy; exits with 1 when some are not, with 2 when their state is unknown.
--
--     AMP_API_KEY=… AMPERSAND_PROJECT_ID=my-project lua5.4 examples/nightly_report.lua

local ampersand = require "ampersand"

local AT_ONCE = 8 -- how many are explained at the same time

local client = ampersand.new()

local unhealthy, err = client.installations:in_project()
  :where { healthStatus = { ne = "healthy" } }
  :select { "id", "integrationId", "group.groupName", "connection.provider" }
  :list()
if not unhealthy then
  io.stderr:write("nightly report: ", tostring(err), "\n")
  os.exit(2)
end

local tasks = {}
for i, installation in ipairs(unhealthy) do
  tasks[i] = function()
    return client:with { integration = installation.integrationId }.installations:explain(installation.id)
  end
end
local explanations, problems = client:parallel(AT_ONCE, tasks)
client:close()

local by_provider, providers = {}, {}
for i, installation in ipairs(unhealthy) do
  local provider = ampersand.get(installation, "connection.provider") or "no connection"
  if not by_provider[provider] then
    by_provider[provider] = {}
    providers[#providers + 1] = provider
  end
  table.insert(by_provider[provider], i)
end
table.sort(providers)

-- Names are untrusted text: control characters are replaced.
local function plain(text)
  return (tostring(text):gsub("%c", " "))
end

if #unhealthy > 0 then print(("%d installations are unhealthy"):format(#unhealthy)) end
for _, provider in ipairs(providers) do
  print(("\n%s: %d"):format(plain(provider), #by_provider[provider]))
  for _, i in ipairs(by_provider[provider]) do
    print(("- %s"):format(plain(ampersand.get(unhealthy[i], "group.groupName") or "a customer")))
    for line in tostring(explanations[i] or problems[i]):gmatch "[^\n]+" do print("  " .. line) end
  end
end
os.exit(#unhealthy > 0 and 1 or 0)
