-- Organizations, the people in them, their billing and their domains.

local problem = require "ampersand.mock.problem"

local handlers = {}

local function my_info(store)
  local org, roles = store.orgs[1], {}
  for _, project in ipairs(store.projects) do
    roles[project.id] = { role = "owner", principalType = "builder", principalId = "builder-123", project = project }
  end
  return {
    builder = store.org_builders[1], projectRoles = roles,
    orgRole = { role = "owner", principalType = "team", principalId = org.defaultTeamId, org = org },
  }
end

handlers.getMyInfo = my_info

function handlers.acceptInvite(store, _, _, body)
  for _, invite in ipairs(store.org_invites) do
    if invite.invitedEmail == body.invitedEmail and invite.status == "pending" then
      invite.status, invite.updateTime = "accepted", store.now()
      return my_info(store)
    end
  end
  problem.refuse(404, "no invite is pending for this address")
end

function handlers.addUserToOrg(store, params, _, body)
  store:need("orgs", params.orgId)
  if not store:find("org_builders", "id", body.builderId) then problem.refuse(404, "builder not found") end
end

function handlers.getOrgBillingAccount(store, params)
  store:need("orgs", params.orgId)
  return store.billing_accounts[1]
end

function handlers.createBillingAccountSession(store, params)
  local account = store:need("billing_accounts", params.billingAccountId)
  return { url = ("https://billing.example/session/%s/%s"):format(account.id, store.secret(16)) }
end

-- Domains, addresses and URLs are all taken for their domain.
local function domain_of(text)
  return (tostring(text):lower():gsub("^%a+://", ""):gsub("^.*@", ""):gsub("[/:].*$", ""))
end

function handlers.checkClaimedDomain(store, _, query)
  local claim = store:find("claimed_domains", "domain", domain_of(query.domain))
  return claim or problem.refuse(404, "the domain is not claimed")
end

function handlers.claimDomain(store, _, _, body)
  local domain = domain_of(body.domain)
  if body.parentType ~= "org" then problem.invalid("body", "parentType", "must be org") end
  if not domain:find "^[%w-]+%.[%w.-]+$" then problem.invalid("body", "domain", "is not a domain") end
  if store:find("claimed_domains", "domain", domain) then problem.refuse(409, "the domain is claimed already") end
  local org = store:need("orgs", body.parentId)
  table.insert(store.claimed_domains, {
    id = store:new_id "claimed-domain", parentType = "org", parentId = org.id, domain = domain,
  })
end

return handlers
