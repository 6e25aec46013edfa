// The API's description in Swagger UI: it shows every operation, runs under its policy, and its requests work.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { browserTest } from './browser.js'
import { PASSWORD, canLogIn, integration, newCustomer, salesChannel } from './service.js'

browserTest('docs: requests with the token of an integration', {}, async ({ page }) => {
  const complaints = await open(page)
  await authorize(page, 'clientCredentials', integration)
  const email = `docs-${randomUUID()}@example.com`
  const create = await tryOut(page, 'customers-createCustomer')
  const body = create.locator('textarea.body-param__text')
  const example = JSON.parse(await body.inputValue())
  assert.equal(example.data.type, 'customers')
  Object.assign(example.data.attributes, { email, password: PASSWORD })
  await body.fill(JSON.stringify(example))
  const created = await execute(page, create)
  assert.equal(created.status(), 201)
  assert.equal((await created.request().allHeaders())['content-type'], 'application/vnd.api+json')
  await create.locator('.live-responses-table').getByText(email).first().waitFor()
  assert.ok(await canLogIn(email, PASSWORD))

  const list = await tryOut(page, 'customers-listCustomers')
  await list.getByRole('row', { name: 'filter[q]' }).locator('textarea').fill(JSON.stringify({ email_eq: email }))
  const listed = await execute(page, list)
  assert.equal(listed.status(), 200)
  assert.deepEqual([...new URL(listed.url()).searchParams].sort(), [['filter[q][email_eq]', email], ['page[size]', '5']])
  assert.deepEqual((await listed.json()).data.map(({ attributes }) => attributes.email), [email])
  assert.deepEqual(complaints, [])
})

browserTest('docs: a customer logs in, and a token is pasted', {}, async ({ page }) => {
  const complaints = await open(page)
  const username = await newCustomer()
  const grant = await authorize(page, 'password', { username, password: PASSWORD, ...salesChannel })
  const { access_token: token } = await grant.json()
  await page.reload()
  await page.getByRole('button', { name: 'Authorize' }).click()
  const bearer = page.locator('.auth-container').filter({ hasText: '(http, Bearer)' })
  await bearer.locator('input').fill(token)
  await bearer.getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('button', { name: 'Close' }).first().click()
  const organization = await tryOut(page, 'organizations-retrieveOrganization')
  assert.equal((await execute(page, organization)).status(), 200)
  assert.deepEqual(complaints, [])
})

for (const width of [1280, 390]) {
  browserTest(`docs: every operation is there, with examples, at ${width} px`, { viewport: { width, height: 700 } }, async ({ page }) => {
    const complaints = await open(page)
    const { paths, components } = await (await page.request.get('/openapi.json')).json()
    const described = Object.values(paths).flatMap((path) => Object.values(path))
    const shown = await page.locator('.opblock').evaluateAll((operations) => operations.map(({ id }) => id))
    const ids = described.map(({ tags: [tag], operationId }) => `operations-${tag}-${operationId}`)
    assert.deepEqual(shown.sort(), ids.sort())

    const list = await tryOut(page, 'customers-listCustomers')
    for (const { name, example } of [components.parameters.CustomerFilter, components.parameters.Page]) {
      const field = list.locator(`tr[data-param-name="${name}"] textarea`)
      assert.deepEqual(JSON.parse(await field.inputValue()), example, name)
    }
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(content <= window, `${content} px in ${window}`)
    assert.deepEqual(complaints, [])
  })
}

/** Opens the page; returns what the console complains about, such as violations of the policy. */
async function open(page) {
  const complaints = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto('/docs')
  await page.getByRole('heading', { name: 'Rekey' }).waitFor()
  return complaints
}

/** Gets a token by that flow of OAuth, with these fields of its form; returns the answer. */
async function authorize(page, flow, fields) {
  await page.getByRole('button', { name: 'Authorize' }).click()
  const form = page.locator('.auth-container').filter({ hasText: `(OAuth2, ${flow})` })
  for (const [name, value] of Object.entries(fields)) await form.getByLabel(`${name}:`, { exact: true }).fill(value)
  const answered = page.waitForResponse('**/oauth/token')
  await form.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  const answer = await answered
  assert.equal(answer.status(), 200, await answer.text())
  await form.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await page.getByRole('button', { name: 'Close' }).first().click()
  return answer
}

/** Opens an operation to try it; returns it. */
async function tryOut(page, id) {
  const operation = page.locator(`#operations-${id}`)
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  return operation
}

/** Sends an operation's request; returns the answer. */
async function execute(page, operation) {
  const answered = page.waitForResponse((answer) => new URL(answer.url()).pathname.startsWith('/api/'))
  await operation.getByRole('button', { name: 'Execute' }).click()
  return answered
}
