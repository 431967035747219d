// Asks @cloud-copilot/iam-simulate for the verdict on each case: cases in as JSON lines, the same with "verdict" out.
// See regenerate.py.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const { runSimulation } = createRequire(process.argv[2] + '/')('@cloud-copilot/iam-simulate')
const named = (policies) => policies.map((policy, number) => ({ name: `p${number}`, policy }))

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line)
  const answer = await runSimulation(
    {
      request: {
        principal: given.principal,
        action: given.action,
        resource: { resource: given.resource, accountId: given.account },
        contextVariables: given.context
      },
      identityPolicies: named(given.identity),
      permissionBoundaryPolicies: given.boundary ? named([given.boundary]) : undefined,
      sessionPolicy: given.session ?? undefined,
      resourcePolicy: given.resource_policy ?? undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    {}
  )
  const results = answer.resultType === 'wildcard' ? answer.results : [answer.result]
  const ignored = results.flatMap((result) => result?.ignoredContextKeys ?? [])
  if (answer.resultType === 'error' || ignored.length > 0) {
    throw new Error(`${given.name}: ${JSON.stringify(answer.errors ?? ignored)}`)
  }
  console.log(JSON.stringify({ ...given, verdict: answer.overallResult }))
}
