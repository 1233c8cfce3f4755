"""The local X-Ray: takes segments by UDP, serves the X-Ray API by TCP, shows traces in a browser.

Three processes, one task each: the receiver takes datagrams off the socket, the writer parses and
stores them, and the server answers the API and the console, only reading what is stored. Knows
nothing of the site that sends the segments.
"""
