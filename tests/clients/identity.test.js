// What the vendor's hosted identity app does on its page for a new password, with the SDK and js-auth of that app and with the newer ones.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, auths, canLogIn, newCustomer, sdks, tokenOf } from './clients.js'
import { WRONG_TOKEN, refused } from './refusals.js'
import { credentials, service } from './service.js'

/** The attributes that the app asks for at its start; it shows no form without them. */
const BRANDING = [
  'id', 'logo_url', 'slug', 'gtm_id', 'gtm_id_test', 'name', 'primary_color', 'favicon_url', 'support_phone', 'support_email', 'config',
]

for (const [index, { name, connect }] of sdks.entries()) {
  describe(`${name}, the identity app`, () => {
    const auth = auths[index]
    let backOffice, shop

    before(async () => {
      backOffice = sdks[0].connect(await tokenOf('integration'))
      // As the link in the mail says: clientId and scope.
      const { clientId } = credentials.storefront
      const { accessToken } = await auth.authenticate('client_credentials', { clientId, scope: 'market:all', domain: service.domain })
      shop = connect(accessToken)
    })

    test('organization: with the fields of the branding', async () => {
      const organization = await shop.organization.retrieve({ fields: { organizations: BRANDING } })
      assert.deepEqual(Object.keys(organization).sort(), [...BRANDING, 'type'].sort())
      assert.equal(organization.slug, service.organization)
      assert.match(organization.primary_color, /^#[0-9a-f]{6}$/)
      assert.deepEqual([organization.gtm_id, organization.gtm_id_test, organization.config], [null, null, null])
    })

    test('organization: whole', async () => {
      const organization = await shop.organization.retrieve()
      assert.equal(organization.domain, `${service.organization}.${service.domain}`)
      assert.equal(organization.orders_sales_channel_guest_only, null)
    })

    test('customer_password_resets: the password is set once', async () => {
      const { email } = await newCustomer(backOffice)
      const { id, reset_password_token } = await backOffice.customer_password_resets.create({ customer_email: email })
      // As the link in the mail says: customerPasswordResetId and resetPasswordToken.
      const update = { id, customer_password: NEW_PASSWORD, _reset_password_token: reset_password_token }
      const used = await shop.customer_password_resets.update(update)
      assert.equal(used.id, id)
      assert.ok(await canLogIn(email, NEW_PASSWORD))
      await refused(shop.customer_password_resets.update(update), 422, WRONG_TOKEN)
    })

    test('customer_password_resets: a reset that is not there is a 404 for the back office, and a wrong token for a shop', async () => {
      const update = { id: 'nobodynobo', customer_password: NEW_PASSWORD, _reset_password_token: 'x'.repeat(43) }
      await refused(backOffice.customer_password_resets.update(update), 404, { code: 'RECORD_NOT_FOUND' })
      await refused(shop.customer_password_resets.update(update), 422, WRONG_TOKEN)
    })
  })
}
