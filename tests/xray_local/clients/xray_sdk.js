// A program that is traced by aws-xray-sdk for Node; says the id of its trace.
// Arguments: the URL that it asks for as part of the work.
'use strict';

const AWSXRay = require('aws-xray-sdk');
const http = AWSXRay.captureHTTPs(require('http'));

const [url] = process.argv.slice(2);
AWSXRay.middleware.disableCentralizedSampling();
AWSXRay.setContextMissingStrategy('LOG_ERROR');

const ask = () =>
  new Promise((resolve, reject) => {
    http.get(url, (response) => response.resume().on('end', resolve)).on('error', reject);
  });

const segment = new AWSXRay.Segment('node shop');
segment.setUser('ada');
segment.addAnnotation('answer', 42);
segment.addAnnotation('is_new', true);
segment.addMetadata('basket', { tea: 2 }, 'orders');
segment.addIncomingRequestData({
  init: () => {},
  toJSON: () => ({ request: { method: 'POST', url: 'http://shop.local/order' } }),
  close: () => {},
});

AWSXRay.getNamespace().run(() => {
  AWSXRay.setSegment(segment);
  AWSXRay.captureAsyncFunc('outer', async (outer) => {
    outer.addAnnotation('step', 'first');
    AWSXRay.captureFunc('inner', (inner) => inner.addMetadata('number', 7));
    try {
      AWSXRay.captureFunc('failing', () => {
        throw new TypeError('on purpose');
      });
    } catch {
      // It is traced.
    }
    await ask();
    outer.close();
    segment.close();
    console.log(segment.trace_id);
  });
});
