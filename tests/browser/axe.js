// axe: WCAG 2.0 to 2.2, A and AA, and its best practices.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']

/** Returns what axe finds on the page. */
export async function violations(page) {
  // Through the debugger's protocol, since the pages' policy blocks injected scripts.
  await page.evaluate(AXE)
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES)
  assert.ok(found.passes.length > 10, 'axe has looked')
  return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => `${node.html}\n${node.failureSummary}`) }))
}
