"""The function's process in one environment: started, frozen, thawed, measured and ended.

Its folder is read-only, and that for root too, which `setpriv` takes the right to write anywhere
from. What the real sandbox has and this has not: /tmp of its own (TMPDIR and HOME lead to a folder
of the environment's), a bound on the CPU, and no way to the rest of the machine.
"""

import os
import re
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from .function import VERSION, Function

TAIL_BYTES = 4096
PF_EXITING = 4  # the kernel's flag of a process that is being taken down
# If we are killed, so is it: at once, frozen or not. The kernel watches the thread that started it,
# so that one thread starts all, and lives as long as we do.
# https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
STARTER = ThreadPoolExecutor(1, "starter")
SETPRIV = ("setpriv", "--pdeathsig", "KILL")
# Only root has it, and may drop it.
AS_OTHERS = ("--inh-caps", "-dac_override", "--bounding-set", "-dac_override")


def make_environment(
    function: Function, api_address: str, folder: Path, stream: str, xray_address: str
) -> dict[str, str]:
    """Return the environment that Lambda gives a function, and nothing of ours but PATH.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    host, _, port = xray_address.partition(":")
    lambdas = {
        "_HANDLER": function.handler,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{function.version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_REGION": function.region,
        "LAMBDA_RUNTIME_DIR": str(function.runtime_dir or function.task_dir),
        "LAMBDA_TASK_ROOT": str(function.task_dir),
        "TZ": ":UTC",
    }
    unreserved = {
        "_AWS_XRAY_DAEMON_ADDRESS": host,
        "_AWS_XRAY_DAEMON_PORT": port,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": xray_address,
        "HOME": str(folder),
        "LANG": "en_US.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "TMPDIR": str(folder),
    }
    if function.runtime_dir:
        unreserved["PYTHONPATH"] = str(function.runtime_dir)
    return unreserved | dict(function.variables) | lambdas


class Process:
    """A process group with the runtime client in it, and a folder for what it writes."""

    def __init__(
        self,
        function: Function,
        api_address: str,
        stream: str,
        xray_address: str,
        write_log: Callable[[bytes], None],
        on_exit: Callable[[], None],
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lambda-"))
        environment = make_environment(function, api_address, self.folder, stream, xray_address)
        command = [*SETPRIV, *(AS_OTHERS if os.geteuid() == 0 else ()), "--"]
        command += [*function.command, "-m", "awslambdaric", function.handler]
        read_end, write_end = os.pipe()
        self._popen = STARTER.submit(
            _start, command, function.task_dir, environment, write_end
        ).result()
        os.close(write_end)
        self.pid = self._popen.pid
        # No file may become larger than the whole of the ephemeral storage.
        size = function.storage_mb * 1024 * 1024
        with suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, size))
        self._output = os.fdopen(read_end, "rb", 0)
        os.set_blocking(read_end, False)
        self._lock = threading.Lock()
        self._signals = threading.Lock()
        self._write_log = write_log
        self._tail = b""
        self._pump = threading.Thread(target=self._copy_all, daemon=True)
        self._pump.start()
        threading.Thread(target=self._watch, args=[on_exit], daemon=True).start()

    def _watch(self, on_exit: Callable[[], None]) -> None:
        # While it is not reaped, no other process gets its number.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.kill()  # what it started itself goes with it
        with self._signals:
            self._popen.wait()
        self._pump.join(1)
        shutil.rmtree(self.folder, ignore_errors=True)
        on_exit()

    def _copy_all(self) -> None:
        with self._output:
            while self.copy_output():
                select.select([self._output], [], [])

    def copy_output(self) -> bool:
        """Write what it has said so far to the log. False when it will say no more."""
        with self._lock:
            while not self._output.closed:
                try:
                    chunk = os.read(self._output.fileno(), 65536)
                except BlockingIOError:
                    return True
                if not chunk:
                    break
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]
                self._write_log(chunk)
        return False

    def take_tail(self) -> bytes:
        """Return the end of what it has said since the last time."""
        self.copy_output()
        with self._lock:
            tail, self._tail = self._tail, b""
        return tail

    def is_alive(self) -> bool:
        """Say whether it will still do something: it has not ended, nor is it about to.

        One that was killed in its sleep takes a moment until it is gone.
        https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        """
        if self._popen.returncode is not None:
            return False
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        pending = re.findall(r"^S[ih][gd]Pnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
        is_killed = any(int(mask, 16) & (1 << (signal.SIGKILL - 1)) for mask in pending)
        return stat[0] not in "ZX" and not int(stat[6]) & PF_EXITING and not is_killed

    def describe_exit(self) -> str:
        """Return how it ended, in Lambda's words."""
        status = self._popen.wait()
        if status == 0:
            return "Runtime exited without providing a reason"
        if status > 0:
            return f"Runtime exited with error: exit status {status}"
        name = (signal.strsignal(-status) or str(-status)).lower()
        return f"Runtime exited with error: signal: {name}"

    def signal(self, number: int) -> None:
        """Send a signal to all of the group, if there is still one."""
        with self._signals, suppress(ProcessLookupError):
            if self._popen.returncode is None:
                os.killpg(self.pid, number)

    def freeze(self) -> None:
        """Let it stand still, threads and children too."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without notice, as Lambda does."""
        self.signal(signal.SIGKILL)

    def read_memory_mb(self, field: str = "VmRSS") -> int:
        """Return the memory that it uses, or with "VmHWM" has used at most; 0 when it is gone."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(field)), 0)


def _start(
    command: list[str], folder: Path, environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # A group of its own, in our session: the terminal's Ctrl-C is for us alone.
        process_group=0,
    )
