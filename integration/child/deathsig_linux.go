package child

import "syscall"

// attributes put the child in its own process group and have the kernel kill it when its parent thread ends. Without
// the second a killed test binary (a timeout, a closed terminal) leaves brokers behind that hold memory and ports.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
