// Drives a simulator with the vendor's own client. Usage: official-client.mjs <port> <key> <hook secret>
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import Stripe from 'stripe';

const [port, key, secret] = process.argv.slice(2);
const options = { host: '127.0.0.1', port: Number(port), protocol: 'http', maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe(key, options);

async function refused(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  assert.fail('the request should have been refused');
}

async function control(path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}/_sim/${path}`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

const laws = {
  async 'a customer is created, read, changed and deleted'() {
    const made = await stripe.customers.create({
      name: 'Jörg 😀 & Söhne', email: 'j+x@example.com', metadata: { a: '1', 'key with space': 'ü=&%' },
      address: { line1: 'Straße 1', city: 'Köln', country: 'DE' }, preferred_locales: ['de', 'en'],
      shipping: { name: 'Lager', address: { line1: 'Weg 2' } }, balance: -500,
    });
    assert.match(made.id, /^cus_[A-Za-z0-9]{14}$/);
    assert.equal(made.metadata['key with space'], 'ü=&%');
    assert.deepEqual(made.preferred_locales, ['de', 'en']);
    assert.equal(made.shipping.address.line1, 'Weg 2');
    assert.match(made.lastResponse.requestId, /^req_/);
    const read = await stripe.customers.retrieve(made.id);
    assert.deepEqual({ ...read }, { ...made });
    const changed = await stripe.customers.update(made.id, { name: 'B', email: '', metadata: { a: '', b: '2' } });
    assert.equal(changed.name, 'B');
    assert.equal(changed.email, null);
    assert.deepEqual({ ...changed.metadata }, { 'key with space': 'ü=&%', b: '2' });
    const gone = await stripe.customers.del(made.id);
    assert.deepEqual({ ...gone }, { id: made.id, object: 'customer', deleted: true });
    assert.equal((await stripe.customers.retrieve(made.id)).deleted, true);
  },

  async 'lists page by themselves'() {
    const made = new Set();
    for (let i = 0; i < 25; i++) {
      made.add((await stripe.customers.create({ name: `p${i}`, email: 'page@example.com' })).id);
    }
    const seen = [];
    for await (const customer of stripe.customers.list({ email: 'page@example.com', limit: 4 })) {
      seen.push(customer.id);
    }
    assert.equal(seen.length, 25);
    assert.deepEqual(new Set(seen), made);
    const now = Math.floor(Date.now() / 1000);
    const recent = await stripe.customers.list({ created: { gte: now - 3600, lte: now + 5 }, limit: 100 });
    assert.ok(recent.data.length >= 25);
  },

  async 'errors have the classes that the client knows'() {
    let error = await refused(() => stripe.customers.create({ nosuch: 1 }));
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.deepEqual([error.statusCode, error.code, error.param], [400, 'parameter_unknown', 'nosuch']);
    error = await refused(() => stripe.customers.retrieve('cus_nosuch'));
    assert.deepEqual([error.statusCode, error.code, error.param], [404, 'resource_missing', 'id']);
    assert.match(error.requestId, /^req_/);
    error = await refused(() => new Stripe('sk_test_wrong', options).customers.list());
    assert.ok(error instanceof Stripe.errors.StripeAuthenticationError);
    error = await refused(() => new Stripe('rk_test_reader', options).customers.create({}));
    assert.ok(error instanceof Stripe.errors.StripePermissionError);
    assert.ok((await new Stripe('rk_test_reader', options).customers.list({ limit: 1 })).data);
    await control('faults', { kind: 'rate_limit', next: 1 });
    error = await refused(() => stripe.customers.list());
    assert.ok(error instanceof Stripe.errors.StripeRateLimitError);
    await control('faults', { kind: 'error_before', next: 1 });
    error = await refused(() => stripe.customers.list());
    assert.ok(error instanceof Stripe.errors.StripeAPIError);
    // The client repeats a request once on a fresh connection, whatever it is told about retries.
    await control('faults', { kind: 'reset_before', next: 2 });
    error = await refused(() => stripe.customers.list());
    assert.ok(error instanceof Stripe.errors.StripeConnectionError);
  },

  async 'a key makes one customer however often it is sent'() {
    const send = () => stripe.customers.create({ name: 'once' }, { idempotencyKey: 'once-1' });
    const first = await send();
    const again = await send();
    assert.equal(again.id, first.id);
    assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
    const error = await refused(() => stripe.customers.create({ name: 'other' }, { idempotencyKey: 'once-1' }));
    assert.ok(error instanceof Stripe.errors.StripeIdempotencyError);
  },

  async 'the client\'s own retries make one customer when the answer is lost'() {
    const patient = new Stripe(key, { ...options, maxNetworkRetries: 2 });
    await control('faults', { kind: 'reset_after', next: 1, operation: 'POST /v1/customers' });
    const made = await patient.customers.create({ name: 'lost', email: 'lost@example.com' });
    const all = await stripe.customers.list({ email: 'lost@example.com' });
    assert.deepEqual(all.data.map((customer) => customer.id), [made.id]);
  },

  async 'products, prices and invoices go together'() {
    const product = await stripe.products.create({
      id: 'plan-1', name: 'Plan', default_price_data: { currency: 'eur', unit_amount: 1000 },
    });
    assert.equal(product.id, 'plan-1');
    const price = await stripe.prices.retrieve(product.default_price, { expand: ['product'] });
    assert.equal(price.product.name, 'Plan');
    assert.equal(price.unit_amount, 1000);
    const customer = await stripe.customers.create({ name: 'payer' });
    const invoice = await stripe.invoices.create({
      customer: customer.id, collection_method: 'send_invoice', days_until_due: 14, currency: 'eur',
    });
    await stripe.invoiceItems.create({
      customer: customer.id, invoice: invoice.id, pricing: { price: price.id }, quantity: 3,
    });
    const open = await stripe.invoices.finalizeInvoice(invoice.id);
    assert.deepEqual([open.status, open.total, open.lines.data.length], ['open', 3000, 1]);
    const paid = await stripe.invoices.pay(invoice.id, { paid_out_of_band: true, expand: ['customer'] });
    assert.deepEqual([paid.status, paid.amount_paid, paid.customer.id], ['paid', 3000, customer.id]);
    const error = await refused(() => stripe.products.del('plan-1'));
    assert.equal(error.statusCode, 400);
  },

  async 'a webhook is authentic to the client'() {
    const events = [];
    const server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const header = request.headers['stripe-signature'];
        events.push(stripe.webhooks.constructEvent(body, header, secret));
        assert.throws(() => stripe.webhooks.constructEvent(body, header, 'whsec_other'));
        assert.throws(() => stripe.webhooks.constructEvent(JSON.stringify(JSON.parse(body)), header, secret));
        response.end();
      });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    await control('webhooks', { url: `http://127.0.0.1:${server.address().port}/`, secrets: ['whsec_older', secret] });
    const made = await stripe.customers.create({ name: 'hooked' }, { idempotencyKey: 'hook-1' });
    while (events.length < 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    server.close();
    server.closeAllConnections();
    assert.equal(events[0].type, 'customer.created');
    assert.equal(events[0].data.object.id, made.id);
    assert.equal(events[0].request.idempotency_key, 'hook-1');
    const listed = await stripe.events.retrieve(events[0].id);
    assert.equal(listed.data.object.name, 'hooked');
  },
};

for (const [law, check] of Object.entries(laws)) {
  try {
    await check();
    console.log(`held: ${law}`);
  } catch (error) {
    console.log(`broken: ${law}`);
    console.log(error);
    process.exitCode = 1;
  }
}
