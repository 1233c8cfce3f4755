"""A local API Gateway and Lambda, around AWS's own runtime client: for laptops, never shipped.

It runs any Python function from its folder. http_front takes requests, events makes Lambda's events
of them, invoker invokes the function in one of the environments, runtime_api is what the function's
process talks to, and segments are what AWS's services would have sent to X-Ray.
"""
